/** Says what is new to screen readers: a few texts as they are, a flood as a digest. */
const GATHER_MS = 2_000;
const READ_MOST = 3;

export class Announcer {
  private waiting: string[] = [];
  private timer: ReturnType<typeof setTimeout> | undefined;
  paused = false;

  constructor(
    private readonly say: (words: string) => void,
    private readonly digest: (count: number) => string,
  ) {}

  add(words: string): void {
    if (this.paused) return;
    this.waiting.push(words);
    this.timer ??= setTimeout(() => this.flush(), GATHER_MS);
  }

  flush(): void {
    this.timer = undefined;
    const gathered = this.waiting;
    this.waiting = [];
    if (gathered.length) this.say(gathered.length > READ_MOST ? this.digest(gathered.length) : gathered.join(". "));
  }
}
