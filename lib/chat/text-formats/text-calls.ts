import type { ToolDefinition, UnrunReason } from '../types';
import { fittingArguments } from './arguments';
import { callsSeen, openingMarkers, type Sighting, type Sightings } from './call-detector';
import { FAMILIES, type Family } from './families';
import type { Form } from './forms';
import { MarkupTracker } from './markup-tracker';
import { offeredName } from './offered-name';
import type { QuotedInput } from './quoted-input';
import { canonicalJson, parseJson } from '../../json';
import { optional } from '../../values';
import { readBlock, type WrittenCall } from './shapes';
import { attempt, beginningsOf, Source, type Stop, stop, Stopped } from './source';

/** A possible call that was left in the text. */
export interface UnrunCall {
	name: string;
	family: Family;
	because: UnrunReason;
}

export interface ReadCall {
	name: string;
	/** JSON text of an object. */
	arguments: string;
}

interface AnswerWithCalls {
	text: string;
	calls: ReadCall[];
	/** Numbers in the calls that are kept as text. */
	largeNumbers?: string[];
	seen?: UnrunCall;
}

interface AnswerEnd {
	/** The model ended its answer itself, and was not cut off. */
	isNatural: boolean;
	/** The answer broke off: no call is run. */
	isBroken?: boolean;
	/** The server itself returned calls. */
	hasOthers: boolean;
	/** These, as far as they can be used. */
	others: readonly ReadCall[];
	/** The messages of the request. */
	input: QuotedInput;
}

/** Calls that end the answer, and the text that was read for them. */
interface Block {
	source: Source;
	/** Where the block begins in the source, and in the answer. */
	start: number;
	begin: number;
	/** The first name of a call. */
	name?: string;
	calls: WrittenCall[];
	/** Its end is marked. */
	isMarked: boolean;
}

interface FailedBlock {
	why: Stop;
	name: string;
	begin: number;
	end: number;
}

/** After so many blocks that could not be read, no further calls are expected. */
const MAX_FAILED_READINGS = 50;
/** Names of calls stand within the first of these many characters of a block; escapes may make its values longer. */
const MAX_BLOCK = 1024 * 1024;
const MAX_HELD_LENGTH = 2 * MAX_BLOCK;
/** Longer blocks are parsed again only when they grew by a quarter, so that all readings together stay linear. */
const SHORT_BLOCK = 4096;
const GROWTH = 1.25;
const VISIBLE = /\S/g;
/** For a model of no known family: what may be a call that the server returns as well. */
const FORMS_OF_ANY = FAMILIES.flatMap(({ forms }) => forms).filter(({ bare }) => bare !== true);

/**
 * Extracts calls from the text of an answer, for servers that pass them on unparsed. Text is not a command: only a
 * complete call of an offered tool, in this model's format, at the end of the answer and not quoted, counts. Everything
 * else stays text, unchanged.
 *
 * Text that may be a call is held until that is decided, and parsed from its beginning when it has grown. The result
 * does not depend on how the text was split. Calls that the server returned as well are left out: it sent them twice.
 */
export class TextCalls {
	private readonly tools: ReadonlyMap<string, ToolDefinition>;
	private readonly passage: Passage;
	private all = '';

	/** @param tools the tools that the model may call */
	constructor(
		tools: readonly ToolDefinition[],
		private readonly family: Family | undefined,
	) {
		this.tools = new Map(tools.map((tool) => [tool.name, tool]));
		this.passage = new Passage([...this.tools.keys()], family?.forms ?? FORMS_OF_ANY);
	}

	/** @returns the text that can be shown now */
	push(piece: string): string {
		if (this.tools.size === 0) return piece;
		this.all += piece;
		return this.passage.push(piece);
	}

	/**
	 * At the end of the answer: returns the remaining text, and the calls or a possible call that is not run. Yields while
	 * a long input is searched.
	 */
	*end(end: AnswerEnd): Generator<void, AnswerWithCalls> {
		if (this.tools.size === 0) return { text: '', calls: [] };
		const sightings = yield* callsSeen(this.all, this.tools, this.family);
		const text = this.passage.end();
		const { block } = this.passage;
		if (block !== undefined && this.isRepeated(block, end.others)) return { text, calls: [] };
		const { block: own } = this.reading;
		const because = own === undefined ? undefined : yield* this.reasonAgainst(own, sightings, end);
		if (own !== undefined && because === undefined) {
			const largeNumbers: string[] = [];
			return { text, calls: this.fittingCalls(own, largeNumbers)!, largeNumbers };
		}
		const seen = this.unrunCall(sightings, because);
		const rest = text + this.passage.release();
		return { text: rest, calls: [], ...optional({ seen }) };
	}

	/** Why the calls of a block must not be run; undefined if they may. */
	private *reasonAgainst(
		block: Block,
		{ own, foreign, areTooMany }: Sightings,
		end: AnswerEnd,
	): Generator<void, UnrunReason | undefined> {
		if (end.hasOthers) return 'hasOthers';
		const isBefore = (call: Sighting | undefined) => call !== undefined && call.at < block.begin;
		if (isBefore(foreign)) return 'foreign';
		// An answer that already showed a call is only showing this one, too.
		if (areTooMany || isBefore(own)) return 'quoted';
		if (end.isBroken || (!block.isMarked && !end.isNatural)) return 'incomplete';
		if (this.fittingCalls(block) === undefined) return 'unfit';
		const calls = block.calls.map((call) => asWritten(call, block));
		return (yield* end.input.holdsAny(calls)) ? 'inInput' : undefined;
	}

	/** Whether the server returned all calls of a block, too. */
	private isRepeated(block: Block, others: readonly ReadCall[]): boolean {
		const returned = new Set(others.map(identityOf));
		return this.fittingCalls(block)?.every((call) => returned.has(identityOf(call))) === true;
	}

	/** @param large gets the numbers that are kept as text */
	private fittingCalls(block: Block, large: string[] = []): ReadCall[] | undefined {
		const names = [...this.tools.keys()];
		const calls: ReadCall[] = [];
		for (const call of block.calls) {
			const tool = this.tools.get(offeredName(call.name, names) ?? '');
			const args = tool === undefined ? undefined : fittingArguments(tool, call.arguments, large);
			if (args === undefined) return undefined;
			calls.push({ name: tool!.name, arguments: JSON.stringify(args) });
		}
		return calls;
	}

	/** What was read in the format of the model. */
	private get reading(): Pick<Passage, 'block' | 'failed'> {
		return this.family === undefined ? { block: undefined, failed: undefined } : this.passage;
	}

	/** The possible call that is reported to the user, if any. */
	private unrunCall(
		{ own, foreign }: Sightings,
		because: UnrunReason | undefined,
	): UnrunCall | undefined {
		const { failed, block } = this.reading;
		if (because !== undefined && because !== 'foreign')
			return { name: block!.name!, family: this.family!, because };
		if (foreign !== undefined && (because === 'foreign' || isApartFrom(foreign.at, failed)))
			return { name: foreign.name, family: foreign.family, because: 'foreign' };
		if (failed !== undefined)
			return {
				name: failed.name,
				family: this.family!,
				because: failed.why === 'broken' ? 'incomplete' : failed.why,
			};
		return own && { name: own.name, family: own.family, because: own.form.reportedAs ?? 'quoted' };
	}
}

/** Equal for equal calls. */
function identityOf({ name, arguments: args }: ReadCall): string {
	return canonicalJson([name, parseJson(args)]);
}

/** Whether a call in another format is no part of the block that failed. */
function isApartFrom(at: number, failed: FailedBlock | undefined): boolean {
	if (failed === undefined) return true;
	return failed.why !== 'unknownTool' && (at <= failed.begin || at >= failed.end);
}

/** A call without arguments is only a name, so the markers around it are compared, too. */
function asWritten({ arguments: args = {}, from, to }: WrittenCall, block: Block): string {
	const { text } = block.source;
	return Object.keys(args).length === 0 ? text.slice(block.start) : text.slice(from, to);
}

/** Passes text on, and holds what may be a block of calls at the end of the answer. */
class Passage {
	/** The block that ends the answer. */
	block: Block | undefined;
	/** The first block that turned out to be none. */
	failed: FailedBlock | undefined;
	/** Where a call may begin behind other text. */
	private readonly beginnings: RegExp;
	private readonly surroundings = new MarkupTracker();
	/** What was not read yet, and how much was read before it. */
	private unread = '';
	private readLength = 0;
	/** The next parsing needs this length of `unread`. */
	private nextLength = 0;
	/** White space after which a call may come. */
	private blank = '';
	private gaveText = false;
	/** How often a possible block turned out to be none, by any form. */
	private failedReadings = 0;

	constructor(
		private readonly names: readonly string[],
		private readonly forms: readonly Form[],
	) {
		const runnable = forms.filter(({ bare, reportedAs }) => !bare && !reportedAs);
		this.beginnings = beginningsOf(runnable.flatMap(openingMarkers));
	}

	/** @returns the text that can be shown now */
	push(piece: string): string {
		this.unread += piece;
		return this.unread.length < this.nextLength ? '' : this.read(false);
	}

	/** @returns the remaining text; `block` is set if the answer ends with calls */
	end(): string {
		return this.read(true);
	}

	/** The block as text. */
	release(): string {
		return this.block === undefined ? '' : this.blank + this.unread;
	}

	private read(answerEnded: boolean): string {
		const source = new Source(this.unread, answerEnded);
		let text = '';
		let isHeld = false;
		while (!isHeld && source.at < source.text.length) {
			text += this.give(this.plainText(source));
			const start = source.at;
			if (start === source.text.length) break;
			isHeld = this.readBlocks(source, start);
			source.at = start;
			if (isHeld) break;
			text += this.give(source.text[start]!);
			source.at += 1;
		}
		this.unread = source.text.slice(source.at);
		this.readLength += source.at;
		const { length } = this.unread;
		this.nextLength = isHeld && length > SHORT_BLOCK ? length * GROWTH : 0;
		if (!answerEnded || this.block !== undefined) return text;
		text += this.blank;
		this.blank = '';
		return text;
	}

	/** Text that cannot begin a call. At the start of the answer, any character may begin one. */
	private plainText(source: Source): string {
		const { text, at } = source;
		if (this.isDecided) source.at = text.length;
		else source.jumpTo(this.gaveText ? this.beginnings : VISIBLE);
		return text.slice(at, source.at);
	}

	/** Whether no calls are expected any more. */
	private get isDecided(): boolean {
		return this.failedReadings >= MAX_FAILED_READINGS || this.failed !== undefined;
	}

	/** @returns the text and the white space before it, without the white space behind it */
	private give(text: string): string {
		if (!this.isDecided) this.surroundings.push(text);
		const visible = text.trimEnd();
		if (visible === '') {
			this.blank += text;
			return '';
		}
		const shown = this.blank + visible;
		this.blank = text.slice(visible.length);
		this.gaveText = true;
		return shown;
	}

	/** @returns whether to hold the text from here on: it is a block of calls, or may become one */
	private readBlocks(source: Source, start: number): boolean {
		if (this.surroundings.isQuotation) return false;
		const isTooLong = source.text.length - start > MAX_HELD_LENGTH;
		let failed: FailedBlock | undefined;
		let failedReadings = 0;
		for (const form of this.forms.filter((one) => this.mayBeginHere(one))) {
			source.at = start;
			const begin = this.readLength + start;
			const block: Block = { source, start, begin, calls: [], isMarked: false };
			const result = attempt(() => this.readBlock(block, form));
			if (result === 'noOpening') continue;
			if (!(result instanceof Stopped)) {
				this.block = block;
				return true;
			}
			if (result.why === 'more' && !isTooLong) return true;
			failedReadings += 1;
			failed ??= this.failureOf(block, form, result.why === 'more' ? 'incomplete' : result.why);
		}
		this.failedReadings += failedReadings;
		this.failed = failed;
		return false;
	}

	private mayBeginHere({ bare, special, reportedAs }: Form): boolean {
		if (reportedAs !== undefined) return false;
		if (bare) return !this.gaveText;
		return special === true || this.surroundings.isAtLineStart;
	}

	/** Reads a block up to the end of the text. */
	private readBlock(block: Block, form: Form): Block | 'noOpening' {
		const { source, calls } = block;
		const { names } = this;
		const markers = openingMarkers(form);
		const opening = markers.length === 0 ? '' : source.oneOf(markers);
		if (opening === undefined) return 'noOpening';
		const named = (written: string) => {
			const name = offeredName(written, names);
			block.name ??= name ?? written;
			if (name === undefined) stop('unknownTool');
			if (source.at - block.start > MAX_BLOCK) stop('incomplete');
		};
		block.isMarked = readBlock({ source, calls, names, named }, form, opening);
		return block;
	}

	private failureOf(
		{ source, start, name, calls, begin }: Block,
		{ bare }: Form,
		why: Stop,
	): FailedBlock | undefined {
		if (name === undefined || (bare && !this.names.includes(name))) return undefined;
		const reason = why === 'broken' && calls.length > 0 ? 'followed' : why;
		return { why: reason, name, begin, end: begin + source.at - start };
	}
}
