/**
 * The tools that foreign texts call: results of tools and files that came with the last question or since. Whoever wrote such a
 * text could have the model repeat it, with other arguments or in another syntax, so that no call of that tool in the text of
 * the response runs. A call that only begins in such a text may go on in another one: then none runs.
 */
import { JsonBrackets } from '../../values/json-brackets';
import { findBeginningsBefore, MAX_BEFORE_NAME } from './beginnings';
import { BEGINNING, CALL_MARK, findBlockMark, getBlockEnd, isOtherMark } from './call-marks';
import { TextCursor } from './cursor';
import { readMentionedCalls } from './literal-calls';
import { readMarkedJson } from './marked-json';
import { readBlock } from './read-text-calls';
import type { CallCandidate, CallProblem, RawToolCall } from './types';

/** Characters of all texts that may be read. What exceeds that is not told apart from a call. */
const MAX_READS = 1_000_000;
/** What it costs to look at a name or a mark. */
const READS_PER_PLACE = 64;

/** What is known besides the texts. */
interface ForeignCallOptions {
	/** Arguments as a text that is equal for equal values. */
	toValues(args: string): string;
	/** Calls that have run: a result may name its own. */
	pastCalls: readonly RawToolCall[];
}

/** A name that may be that of a call: not a word of a sentence. */
const BEFORE_CALLED_NAME = /(?:^|[<[{("'`=:.>\n])\s{0,9}$/;
const AFTER_CALLED_NAME = /^["'`]?\s{0,9}(?:[({<[>\]},:]|$)/;
/** What makes a call the definition of a tool. */
const DEFINES: ReadonlySet<CallProblem> = new Set(['noArguments', 'notOnlyACall']);
/** The key of a name, in JSON that may not have arrived completely. */
const NAME_KEY = /["']?\bname["']?\s{0,9}[:=]\s{0,9}["']?$/i;
/** A tag of a call whose end is missing. */
const UNFINISHED_TAG =
	/<[|｜]?[\w:▁|｜]{0,40}?(?:tool|function|invoke|call)[\w▁|｜]{0,20}(?=\s|$)(?![^<>]{0,200}>)/i;
/** A tag, a bracket or a header at the end of a text, which may begin a call: the rest of it may be in another text. */
const UNFINISHED_MARK =
	/(?:<[|｜]?(?:[A-Za-z][\w:|▁.-]{0,40})?|\[[A-Z_]{0,20}|<\|(?:start|channel)\|>[^<>]{0,60})(?:["'`]["'`}\])\s]{0,20})?\s{0,20}$/;
/** The longest unfinished mark, with what is behind it. */
const MAX_UNFINISHED = 150;
const CALL_MARK_HERE = new RegExp(CALL_MARK.source, 'iy');

/** Reads foreign texts for the calls in them, once for all calls of a response. */
export class ForeignCalls {
	private readsLeft = MAX_READS;
	/** Whether a call begins in one of the texts and does not end there; undefined before that was asked. */
	private hasBegunCall: boolean | undefined;
	private readonly isCalledByName = new Map<string, boolean>();
	/** By text and place: one place may be near many names. */
	private readonly callsByText = new Map<string, Map<number, readonly CallCandidate[]>>();

	/** @param texts in all variants in which a model could repeat them */
	constructor(
		private readonly texts: readonly string[],
		private readonly options: ForeignCallOptions,
	) {}

	/** Whether the texts are too long to be read completely. */
	get isExhausted(): boolean {
		return this.readsLeft < 0;
	}

	/**
	 * Whether the texts call a tool, or begin to call one.
	 *
	 * @param names all names of the tool
	 */
	callsOneOf(names: readonly string[]): boolean {
		this.hasBegunCall ??= this.texts.some((text) => this.beginsCall(text));
		return this.hasBegunCall || names.some((name) => this.calls(name, names));
	}

	private calls(name: string, names: readonly string[]): boolean {
		const known = this.isCalledByName.get(name);
		if (known !== undefined) return known;
		const isCalled = name !== '' && this.texts.some((text) => this.containsCall(text, name, names));
		this.isCalledByName.set(name, isCalled);
		return isCalled;
	}

	private containsCall(text: string, name: string, names: readonly string[]): boolean {
		for (let at = text.indexOf(name); at >= 0; at = text.indexOf(name, at + name.length)) {
			if (this.isExhausted) return false;
			this.readsLeft -= READS_PER_PLACE;
			const before = text.slice(Math.max(0, at - MAX_BEFORE_NAME), at);
			const after = text.slice(at + name.length, at + name.length + READS_PER_PLACE);
			if (/[\w-]$/.test(before) || /^[\w-]/.test(after)) continue;
			if (!BEFORE_CALLED_NAME.test(before) && !AFTER_CALLED_NAME.test(after)) continue;
			if (this.readAround(text, at).some((call) => this.isForeign(call, names))) return true;
			if (NAME_KEY.test(before) && this.isInUnfinishedJson(text, at)) return true;
		}
		return false;
	}

	private isForeign(call: CallCandidate, names: readonly string[]): boolean {
		if (!names.includes(call.name) || call.problems.some((problem) => DEFINES.has(problem)))
			return false;
		const { toValues, pastCalls } = this.options;
		const values = call.arguments === undefined ? undefined : toValues(call.arguments);
		return !pastCalls.some(
			(past) => names.includes(past.name) && toValues(past.arguments) === values,
		);
	}

	/** The calls in which a name may be, with the name itself as the nearest beginning. */
	private readAround(text: string, at: number): CallCandidate[] {
		return [...findBeginningsBefore(text, at), at].flatMap((from) => this.readAt(text, from));
	}

	private readAt(text: string, from: number): readonly CallCandidate[] {
		const callsByPlace = this.callsByText.get(text) ?? new Map<number, readonly CallCandidate[]>();
		this.callsByText.set(text, callsByPlace);
		const known = callsByPlace.get(from);
		if (known !== undefined || this.isExhausted) return known ?? [];
		const cursor = new TextCursor(text, from, this.readsLeft);
		const calls =
			readBlock(cursor)?.candidates ?? readMarkedJson(cursor) ?? readMentionedCalls(cursor) ?? [];
		this.readsLeft -= READS_PER_PLACE + cursor.charged;
		callsByPlace.set(from, calls);
		return calls;
	}

	/** Whether the object that begins shortly before a place goes on after the end of the text. */
	private isInUnfinishedJson(text: string, at: number): boolean {
		const start = Math.max(0, at - MAX_BEFORE_NAME);
		const index = text.slice(start, at).lastIndexOf('{');
		if (index < 0) return false;
		const from = start + index;
		const end = new JsonBrackets().read(text, from);
		this.readsLeft -= (end ?? text.length) - from;
		return end === undefined;
	}

	/** Whether the mark of a call begins a block that is not complete. */
	private beginsCall(text: string): boolean {
		if (UNFINISHED_TAG.test(text) || UNFINISHED_MARK.test(text.slice(-MAX_UNFINISHED))) return true;
		let endOfCalls = 0;
		for (const { 0: beginning, index } of text.matchAll(BEGINNING)) {
			if (this.isExhausted) return false;
			this.readsLeft -= READS_PER_PLACE;
			if (index < endOfCalls || isOtherMark(beginning)) continue;
			const calls = this.readAt(text, index);
			endOfCalls = calls.at(-1)?.range.to ?? endOfCalls;
			if (calls.length > 0) continue;
			const mark = findBlockMark(text, index);
			if (mark === undefined ? isCallMarkAt(text, index) : !this.hasEnd(text, mark, index))
				return true;
		}
		return false;
	}

	private hasEnd(text: string, mark: string, from: number): boolean {
		return getBlockEnd(mark).marks.some((end) => this.contains(text, end, from));
	}

	private contains(text: string, mark: string, from: number): boolean {
		const at = text.indexOf(mark, from);
		this.readsLeft -= (at < 0 ? text.length : at) - from;
		return at >= 0;
	}
}

function isCallMarkAt(text: string, at: number): boolean {
	CALL_MARK_HERE.lastIndex = at;
	return CALL_MARK_HERE.test(text);
}
