/** Collects the tool calls of a response from their deltas. */
import { TextCount } from '../../http/body-limits';
import type { JsonRecord } from '../../values/records';
import { isRecord, asNonEmptyString } from '../../values/records';
import { parseJson, stringifyCanonical } from '../../values/json';
import { JsonBrackets } from '../../values/json-brackets';
import { RunawayDetector } from '../../text/runaway';
import type { RawToolCall } from '../../text/calls/types';
import { normalizeArguments } from '../tools/arguments';

/**
 * More calls in one response come from a model that repeats itself. LangChain's work is quadratic, and blocks n8n for
 * seconds from some thousands on.
 */
export const MAX_TOOL_CALLS = 1000;

/** What says which call a delta belongs to. */
interface DeltaIdentity {
	index?: string;
	id?: string;
	name?: string;
}

/** Matches deltas by index, otherwise by ID. A delta with neither continues the last call. */
export class ToolCallAccumulator {
	readonly calls: RawToolCall[] = [];
	private readonly byIndex = new Map<string, RawToolCall>();
	private readonly byId = new Map<string, RawToolCall>();
	private readonly brackets = new Map<RawToolCall, JsonBrackets>();
	/** Complete arguments that the last delta of a call repeated. */
	private readonly repeated = new Map<RawToolCall, string>();
	/** Detects arguments that repeat themselves without end. */
	readonly runaway: RunawayDetector = new RunawayDetector(true);

	/** @param textCount counts the text of the complete response */
	constructor(private readonly textCount: TextCount = new TextCount()) {}

	get hasTooMany(): boolean {
		return this.calls.length > MAX_TOOL_CALLS;
	}

	/** Adds `tool_calls` of a delta or a message, of any type. */
	add(deltas: unknown): void {
		for (const delta of [deltas].flat())
			if (isRecord(delta) && !this.hasTooMany) this.addDelta(delta);
	}

	/**
	 * The calls of the ended response. vLLM with speculative decoding repeats the complete arguments in its last delta: they
	 * replace what was collected, if both together are no JSON.
	 *
	 * @param normalize - Default: `normalizeArguments`.
	 */
	end(normalize: (args: string) => string | undefined = normalizeArguments): RawToolCall[] {
		for (const toolCall of this.calls) {
			if (normalize(toolCall.arguments) !== undefined) continue;
			const repeated = this.repeated.get(toolCall) ?? findRepeatedObject(toolCall.arguments);
			toolCall.arguments = repeated ?? toolCall.arguments;
		}
		return this.calls;
	}

	private addDelta(delta: JsonRecord) {
		const fn = isRecord(delta.function) ? delta.function : delta;
		const index = toIndexKey(delta.index);
		const id = asNonEmptyString(delta.id);
		const name = asNonEmptyString(fn.name);
		const args = toArgumentsText(fn.arguments ?? fn.parameters ?? fn.input);
		const continued = this.findContinuedCall({ index, id, name });
		const isNext = continued === undefined || this.isNext(continued, { id, name, args });
		const toolCall = isNext ? this.startCall() : continued;
		const length = getLength(toolCall);
		this.noteRepetition(toolCall, args);
		if (index !== undefined) this.byIndex.set(index, toolCall);
		toolCall.id ??= id;
		if (toolCall.id !== undefined) this.byId.set(toolCall.id, toolCall);
		// gpt-oss leaves tokens of its format in names: `ls<|channel|>commentary` (vllm-project/vllm issue 32587).
		toolCall.name = continueName(toolCall, name?.split('<|')[0]!.trim() ?? '');
		// Some servers begin the arguments with an empty object.
		toolCall.arguments =
			(toolCall.arguments === '{}' && args.trim() ? '' : toolCall.arguments) + args;
		this.brackets.get(toolCall)!.readAll(args);
		this.runaway.push(args);
		this.textCount.add(getLength(toolCall) - length);
	}

	/** Most deltas are shorter than what was collected: then it is not looked at, so that each delta is read once. */
	private noteRepetition(toolCall: RawToolCall, args: string): void {
		const { arguments: collected } = toolCall;
		const mayRepeat = collected !== '' && args.length >= collected.length;
		const isRepetition =
			mayRepeat &&
			collected.trim() !== '' &&
			args.startsWith(collected) &&
			isRecord(parseJson(args));
		if (isRepetition) this.repeated.set(toolCall, args);
		else if (args.trim() !== '') this.repeated.delete(toolCall);
	}

	private startCall() {
		const toolCall: RawToolCall = { name: '', arguments: '' };
		this.calls.push(toolCall);
		this.brackets.set(toolCall, new JsonBrackets());
		this.runaway.forgetRepetition();
		return toolCall;
	}

	/**
	 * Whether a delta begins another call with the index or ID of a complete one, as some servers send them. One with the same
	 * ID and the same arguments repeats it. A call without arguments is complete if another ID and name follow it.
	 */
	private isNext(
		toolCall: RawToolCall,
		{ id, name, args }: Omit<DeltaIdentity, 'index'> & { args: string },
	): boolean {
		const { isComplete } = this.brackets.get(toolCall)!;
		const isOtherId = id !== undefined && id !== toolCall.id;
		const isOtherCall = isOtherId && toolCall.name !== '' && name !== toolCall.name;
		if (name === undefined) return false;
		if (!isComplete) return isOtherCall && toolCall.arguments.trim() === '';
		const isRepetition = id !== undefined && !isOtherId && args === toolCall.arguments;
		return isOtherId || (args.trim() !== '' && !isRepetition);
	}

	/** The call with the index or ID of a delta; undefined for a new call. */
	private findContinuedCall({ index, id, name }: DeltaIdentity) {
		const found = index === undefined ? undefined : this.byIndex.get(index);
		if (found !== undefined) return found;
		if (index === undefined && id !== undefined) return this.byId.get(id);
		const isAnonymous = id === undefined && name === undefined;
		const last = isAnonymous ? this.calls.at(-1) : undefined;
		// Some servers begin a call with another index than its other deltas have.
		const isEnded =
			index !== undefined && last !== undefined && this.brackets.get(last)!.isComplete;
		return isEnded ? undefined : last;
	}
}

/**
 * The name of a call after another part of it. vLLM sent names in pieces, of which the first one may be the name of another
 * tool (vllm-project/vllm pull request 19425); others repeat the name, or all of it so far.
 */
function continueName({ name, arguments: args }: RawToolCall, next: string): string {
	if (name === '' || next === '' || next === name) return name || next;
	if (args.trim() !== '') return name;
	return next.startsWith(name) ? next : name + next;
}

/** More repetitions are no repetition of the last delta. */
const MAX_REPETITIONS = 10;

/** The object that a text has several times, and nothing else; undefined for any other text. */
function findRepeatedObject(text: string): string | undefined {
	const objects: string[] = [];
	for (let from = 0; from < text.length && objects.length <= MAX_REPETITIONS;) {
		const to = new JsonBrackets().read(text, from) ?? text.length;
		objects.push(text.slice(from, to));
		from = to;
	}
	if (objects.length <= 1 || objects.length > MAX_REPETITIONS) return undefined;
	const values = objects.map((json) => stringifyCanonical(parseJson(json)));
	const isRepeated = values.every((value) => value === values[0]);
	return isRepeated && isRecord(parseJson(objects[0]!)) ? objects[0] : undefined;
}

/** A number, which some servers send as text. Anything else is no index. */
function toIndexKey(index: unknown) {
	const isKey = typeof index === 'number' || (typeof index === 'string' && index.length <= 20);
	return isKey ? String(index) : undefined;
}

function getLength({ id = '', name, arguments: args }: RawToolCall) {
	return id.length + name.length + args.length;
}

/** Some servers send an object instead of JSON text. */
function toArgumentsText(args: unknown) {
	if (args === undefined || args === null) return '';
	return typeof args === 'string' ? args : JSON.stringify(args);
}
