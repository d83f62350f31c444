/** Masks a text that arrives in parts: a secret may begin in one and end in another. */
import { TextBuffer, UNFINISHED_ESCAPE } from './escapes';
import { findSecrets, getPatterns, mergeRanges, MIN_REMEMBERED, NO_SECRETS } from './mask';
import { findLastRun, getByteReaders } from './written-bytes';
import type { SecretPatterns } from './secret-patterns';

/** Characters that were returned and are compared again: a stretch of a secret may have begun in them. */
const CONTEXT_LENGTH = 64;

/** Characters of the shortest stretch that is held back. */
const MIN_PENDING_STRETCH = 3;

/** Layers of escapes that are removed to see whether a secret begins. */
const MAX_LAYERS = 3;

/** A text is held back for at most so many times the length of the longest secret. */
const MAX_PENDING_FORMS = 16;

/** The end of a text, without one layer of escapes more in each. */
const LAYERS: readonly TextBuffer[] = Array.from(
	{ length: MAX_LAYERS + 1 },
	() => new TextBuffer(),
);

/** The bytes that the end of a layer may be. */
const BYTES = new TextBuffer();

/** Bytes of the shortest beginning of a key that is held back: one byte may be any number. */
const MIN_PENDING_BYTES = 2;

/** Characters that two bytes have at least. */
const MIN_PENDING_BYTES_LENGTH = 4;

/** A longer beginning of an escape is none. */
const MAX_UNFINISHED_LENGTH = 20;

/** Characters of an escape at the end of a text, whose rest may follow. */
function getUnfinishedLength(text: TextBuffer) {
	const end = text.slice(Math.max(0, text.length - MAX_UNFINISHED_LENGTH));
	return UNFINISHED_ESCAPE.exec(end)?.[0].length ?? 0;
}

/** Where a character of a layer begins in the text. */
function toOuterIndex({ layer, index }: { layer: number; index: number }) {
	let outer = index;
	for (let at = layer; at > 0; at--) [outer] = LAYERS[at]!.toSource(outer, outer);
	return outer;
}

/** A text that arrives in parts. Only the end that may be the beginning of a secret is held back. */
export class MaskedStream {
	private readonly patterns: SecretPatterns;
	/** The end of the text that was returned, as it was received. */
	private context = '';
	private pending = '';

	constructor(secrets: readonly string[] = NO_SECRETS) {
		this.patterns = getPatterns(secrets);
	}

	/**
	 * @param delta - The next part.
	 * @returns what can be shown of the text.
	 */
	push(delta: string): string {
		if (this.patterns.isEmpty) return delta;
		const text = this.pending + delta;
		const pendingLength = this.getPendingLength(this.context + text);
		const isTooLong = pendingLength > MAX_PENDING_FORMS * this.patterns.maxLength;
		return this.release(
			text,
			isTooLong ? text.length : text.length - Math.min(pendingLength, text.length),
		);
	}

	/** @returns the rest, at the end of the text. */
	end(): string {
		return this.release(this.pending, this.pending.length);
	}

	/** Forgets the text: another one replaces it. */
	reset(): void {
		this.context = '';
		this.pending = '';
	}

	private release(text: string, length: number) {
		this.pending = text.slice(length);
		const shown = this.context.length;
		const source = this.context + text.slice(0, length);
		this.context = source.slice(-CONTEXT_LENGTH);
		// All of a long text, because the completion is the same, which then is not searched again.
		if (length >= MIN_REMEMBERED && findSecrets(source + this.pending, this.patterns).length === 0)
			return source.slice(shown);
		const parts: string[] = [];
		let end = shown;
		for (const [from, to] of mergeRanges(findSecrets(source, this.patterns))) {
			if (to <= shown) continue;
			parts.push(source.slice(end, Math.max(from, end)), '***');
			end = to;
		}
		return parts.join('') + source.slice(end);
	}

	/** The length of the end that may be the beginning of a secret, in any escape. */
	private getPendingLength(all: string) {
		const { maxLength, relevant } = this.patterns;
		// What is longer is not held back.
		const from = Math.max(0, all.length - MAX_PENDING_FORMS * maxLength - CONTEXT_LENGTH);
		let start = all.length - from;
		LAYERS[0]!.load(all, from, all.length);
		for (const [index, layer] of LAYERS.entries()) {
			if (index > 0 && !layer.unescape(LAYERS[index - 1]!, relevant)) break;
			layer.truncate(layer.length - getUnfinishedLength(layer));
			const first = Math.min(this.findStart(layer.slice()), this.findStartOfBytes(layer));
			start = Math.min(start, toOuterIndex({ layer: index, index: first }));
		}
		return all.length - from - start;
	}

	/** The same for bytes that are written as numbers. */
	private findStartOfBytes(layer: TextBuffer) {
		const range = { from: findLastRun(layer), to: layer.length, isOpen: true };
		let first = layer.length;
		if (range.to - range.from < MIN_PENDING_BYTES_LENGTH) return first;
		for (const { read } of getByteReaders(layer, range)) {
			read(layer, BYTES, range);
			const start = this.findStart(BYTES.slice());
			if (BYTES.length - start >= MIN_PENDING_BYTES)
				first = Math.min(first, BYTES.toSource(start, start)[0]);
		}
		return first;
	}

	/** Where the end of a text begins that is the beginning, or a stretch, of a secret; its length if there is none. */
	private findStart(text: string) {
		const { forms, firstCodes, stretchable, maxLength } = this.patterns;
		let start = text.length;
		for (let at = Math.max(0, text.length - maxLength); at < start; at++) {
			if (!firstCodes.has(text.charCodeAt(at))) continue;
			const rest = text.slice(at);
			if (forms.some((form) => form.startsWith(rest))) start = at;
		}
		const last = text.slice(-MIN_PENDING_STRETCH);
		if (last.length < MIN_PENDING_STRETCH) return start;
		for (const form of stretchable.filter((candidate) => candidate.includes(last))) {
			let at = text.length - MIN_PENDING_STRETCH;
			while (at > 0 && form.includes(text.slice(at - 1))) at--;
			start = Math.min(start, at);
		}
		return start;
	}
}
