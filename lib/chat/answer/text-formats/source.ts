import { memoized } from '../../../lru-cache';

/** A reader that pauses where the next piece has not arrived. */
export type Reading<T> = Generator<void, T, void>;

/** Why a text turned out to be no call. `incomplete`: its end came first. */
export type Stop = 'broken' | 'incomplete' | 'unknownTool' | 'followed';

export class Stopped extends Error {
	constructor(readonly why: Stop) {
		super(why);
	}
}

/** A place in a source, good until `forget`. */
export interface Place {
	index: number;
	at: number;
}

interface Tree {
	next: Map<string, Tree>;
	literal?: string;
}

/** Texts that may come next, as a prefix tree. Built once for each list, so a list is better kept than written anew. */
const treeOf = memoized((literals: readonly string[]) => {
	const root: Tree = { next: new Map() };
	for (const literal of literals) {
		let node = root;
		for (const unit of literal.split('')) {
			const next = node.next.get(unit) ?? { next: new Map() };
			node.next.set(unit, next);
			node = next;
		}
		node.literal = literal;
	}
	return root;
});

/**
 * Characters that arrive in pieces, for readers written as generators: they pause where they need more, so that the way
 * in which a text was cut changes nothing. Nothing is copied, and going back costs nothing.
 */
export class Source {
	/** The current piece, and where in it the next character stands. */
	text = '';
	at = 0;
	/** No more pieces will come. */
	isOver = false;
	private pieces = [''];
	private starts = [0];
	private index = 0;

	push(piece: string): void {
		if (piece === '') return;
		this.starts.push(this.starts.at(-1)! + this.pieces.at(-1)!.length);
		this.pieces.push(piece);
	}

	/** Characters in front of the next one. */
	get position(): number {
		return this.starts[this.index]! + this.at;
	}

	get place(): Place {
		return { index: this.index, at: this.at };
	}

	back({ index, at }: Place): void {
		this.index = index;
		this.text = this.pieces[index]!;
		this.at = at;
	}

	/** Lets go of what was read. Places of before are good no longer. */
	forget(): void {
		if (this.index === 0) return;
		this.pieces.splice(0, this.index);
		this.starts.splice(0, this.index);
		this.index = 0;
	}

	between(from: Place, to: Place): string {
		if (from.index === to.index) return this.pieces[from.index]!.slice(from.at, to.at);
		const inner = this.pieces.slice(from.index + 1, to.index);
		return [this.pieces[from.index]!.slice(from.at), ...inner, this.pieces[to.index]!.slice(0, to.at)].join('');
	}

	/** Whether a character is there; goes on to the next piece where this one has ended. */
	ready(): boolean {
		while (this.at === this.text.length && this.index < this.pieces.length - 1)
			this.back({ index: this.index + 1, at: 0 });
		return this.at < this.text.length;
	}

	/** The next character, which stays; empty at the end. */
	*peek(): Reading<string> {
		while (!this.ready()) {
			if (this.isOver) return '';
			yield;
		}
		return this.text[this.at]!;
	}

	/** The next character, which stays. */
	*need(): Reading<string> {
		const next = yield* this.peek();
		if (next === '') throw new Stopped('incomplete');
		return next;
	}

	*blank(): Reading<void> {
		while (/\s/.test(yield* this.peek())) this.at += 1;
	}

	/** The longest of these texts that comes next. */
	*oneOf(literals: readonly string[]): Reading<string | undefined> {
		let node = treeOf(literals);
		let found: string | undefined;
		let end = this.place;
		for (;;) {
			const next = node.next.size === 0 ? undefined : node.next.get(yield* this.peek());
			if (next === undefined) break;
			this.at += 1;
			node = next;
			if (node.literal !== undefined) {
				found = node.literal;
				end = this.place;
			}
		}
		this.back(end);
		return found;
	}

	/** One of these texts must come next. */
	*expect(literals: readonly string[]): Reading<string> {
		const found = yield* this.oneOf(literals);
		if (found !== undefined) return found;
		throw new Stopped(
			this.isOver && literals.some((one) => one.startsWith(this.rest(one.length))) ? 'incomplete' : 'broken',
		);
	}

	/** Characters that fit a pattern, as many as there are. */
	*run(pattern: RegExp, most: number): Reading<string> {
		let read = '';
		for (let next = yield* this.peek(); next !== '' && pattern.test(next); next = yield* this.peek()) {
			if (read.length >= most) throw new Stopped('broken');
			read += next;
			this.at += 1;
		}
		return read;
	}

	/** The text up to one of these characters, in the pieces in which it came. */
	*upTo(stops: ReadonlySet<string>, into: string[]): Reading<string> {
		for (;;) {
			yield* this.need();
			const { text } = this;
			let end = this.at;
			while (end < text.length && !stops.has(text[end]!)) end += 1;
			into.push(text.slice(this.at, end));
			this.at = end;
			if (end < text.length) return text[end]!;
		}
	}

	/** What is left of the text, at its end. */
	private rest(most: number): string {
		const place = this.place;
		const all = this.between(place, { index: this.pieces.length - 1, at: this.pieces.at(-1)!.length });
		return all.slice(0, most);
	}
}

/** Runs a reader over a text that arrives in pieces. */
export class Pump {
	readonly source = new Source();
	private running: Reading<void> | undefined;

	constructor(private readonly read: (source: Source) => Reading<void>) {}

	push(piece: string): void {
		this.source.push(piece);
		this.run();
	}

	end(): void {
		this.source.isOver = true;
		this.run();
	}

	private run(): void {
		this.running ??= this.read(this.source);
		this.running.next();
	}
}

/** What a reader comes to, or why it stopped, in which case nothing is lost. */
export function* attempt<T>(reading: Reading<T>): Reading<T | Stopped> {
	try {
		return yield* reading;
	} catch (error) {
		if (error instanceof Stopped) return error;
		throw error as Error;
	}
}
