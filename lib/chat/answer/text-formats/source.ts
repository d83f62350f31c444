import { memoized } from '../../../lru-cache';

/** A parser as a generator: yields when it needs the next piece. */
export type Reading<T> = Generator<void, T, void>;

/** Why a text is no call. `incomplete`: the text ended too early. */
export type Stop = 'broken' | 'incomplete' | 'unknownTool' | 'followed';

export class Stopped extends Error {
	constructor(readonly why: Stop) {
		super(why);
	}
}

/** A position in a source, valid until `forget`. */
export interface Place {
	index: number;
	at: number;
}

interface Tree {
	next: Map<string, Tree>;
	literal?: string;
}

/** Texts that may come next, as a prefix tree. Cached by list object, so lists should be constants. */
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
 * Characters that arrive in pieces, for parsers written as generators. These pause when they need more, so the result
 * does not depend on how the text was split. Going back is free, and nothing is copied.
 */
export class Source {
	/** The current piece, and the index of the next character in it. */
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

	/** Number of characters before the next one. */
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

	/** Frees the pieces that were read. Earlier places become invalid. */
	forget(): void {
		if (this.index === 0) return;
		this.pieces.splice(0, this.index);
		this.starts.splice(0, this.index);
		this.index = 0;
	}

	between(from: Place, to: Place): string {
		if (from.index === to.index) return this.pieces[from.index]!.slice(from.at, to.at);
		const inner = this.pieces.slice(from.index + 1, to.index);
		return [
			this.pieces[from.index]!.slice(from.at),
			...inner,
			this.pieces[to.index]!.slice(0, to.at),
		].join('');
	}

	/** Whether a character is available; moves to the next piece at the end of this one. */
	ready(): boolean {
		while (this.at === this.text.length && this.index < this.pieces.length - 1)
			this.back({ index: this.index + 1, at: 0 });
		return this.at < this.text.length;
	}

	/** The next character, without consuming it; empty at the end of the text. */
	*peek(): Reading<string> {
		while (!this.ready()) {
			if (this.isOver) return '';
			yield;
		}
		return this.text[this.at]!;
	}

	/** The same, but throws `Stopped` at the end of the text. */
	*need(): Reading<string> {
		const next = yield* this.peek();
		if (next === '') throw new Stopped('incomplete');
		return next;
	}

	*blank(): Reading<void> {
		while (/\s/.test(yield* this.peek())) this.at += 1;
	}

	/** Consumes the longest of these texts that comes next; undefined if none does. */
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

	/** The same, but throws `Stopped` if none does. */
	*expect(literals: readonly string[]): Reading<string> {
		const found = yield* this.oneOf(literals);
		if (found !== undefined) return found;
		throw new Stopped(
			this.isOver && literals.some((one) => one.startsWith(this.rest(one.length)))
				? 'incomplete'
				: 'broken',
		);
	}

	/** Consumes characters while they match a pattern; throws `Stopped` for more than `most`. */
	*run(pattern: RegExp, most: number): Reading<string> {
		let read = '';
		for (
			let next = yield* this.peek();
			next !== '' && pattern.test(next);
			next = yield* this.peek()
		) {
			if (read.length >= most) throw new Stopped('broken');
			read += next;
			this.at += 1;
		}
		return read;
	}

	/**
	 * Adds the text up to one of these characters to `into`, piece by piece. @returns that character, which is not
	 * consumed
	 */
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

	/** The remaining text, at most `most` characters of it. */
	private rest(most: number): string {
		const place = this.place;
		const all = this.between(place, {
			index: this.pieces.length - 1,
			at: this.pieces.at(-1)!.length,
		});
		return all.slice(0, most);
	}
}

/** Runs a parser on a text that arrives in pieces. */
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

/** Runs a parser, and returns its result or the `Stopped` that it threw. */
export function* attempt<T>(reading: Reading<T>): Reading<T | Stopped> {
	try {
		return yield* reading;
	} catch (error) {
		if (error instanceof Stopped) return error;
		throw error as Error;
	}
}
