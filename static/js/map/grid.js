// Which point is near: the frame in cells, so that thousands of points cost no more than a few.
export class Grid {
  constructor({ x, y, total }) {
    this.x = x;
    this.y = y;
    this.side = Math.max(1, Math.ceil(Math.sqrt(total / 2)));
    this.starts = new Int32Array(this.side * this.side + 1);
    for (let i = 0; i < total; i += 1) this.starts[this.cell(x[i], y[i]) + 1] += 1;
    for (let c = 0; c < this.side * this.side; c += 1) this.starts[c + 1] += this.starts[c];
    this.members = new Int32Array(total);
    const next = this.starts.slice();
    for (let i = 0; i < total; i += 1) {
      const cell = this.cell(x[i], y[i]);
      this.members[next[cell]] = i;
      next[cell] += 1;
    }
  }

  column(value) {
    return Math.min(this.side - 1, Math.max(0, Math.floor(value * this.side)));
  }

  cell(x, y) {
    return this.column(y) * this.side + this.column(x);
  }

  // The nearest point that is wanted, at most so far away; -1 where there is none.
  nearest(x, y, radius, wanted) {
    let best = -1;
    let least = radius * radius;
    this.within(x - radius, y - radius, x + radius, y + radius, (i) => {
      const apart = (this.x[i] - x) ** 2 + (this.y[i] - y) ** 2;
      if (apart <= least && wanted(i)) [best, least] = [i, apart];
    });
    return best;
  }

  // Calls with each point of the cells that the rectangle touches.
  within(left, top, right, bottom, call) {
    const [first, last] = [this.column(left), this.column(right)];
    for (let row = this.column(top); row <= this.column(bottom); row += 1) {
      const [from, to] = [this.starts[row * this.side + first], this.starts[row * this.side + last + 1]];
      for (let place = from; place < to; place += 1) call(this.members[place]);
    }
  }

  // The wanted point that an arrow key leads to from another: near, and within 60 degrees of its way.
  towards(from, dx, dy, wanted) {
    let best = -1;
    let least = Infinity;
    for (let i = 0; i < this.x.length; i += 1) {
      const [ax, ay] = [this.x[i] - this.x[from], this.y[i] - this.y[from]];
      const [apart, along] = [Math.hypot(ax, ay), ax * dx + ay * dy];
      if (along <= apart / 2 || !wanted(i)) continue;
      const cost = (apart * apart) / along;
      if (cost < least) [best, least] = [i, cost];
    }
    return best;
  }
}
