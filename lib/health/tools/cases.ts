/** What a tool test asks (`cases.json`), and what counts as right. Pure. */
import type { FinishedAnswer, ToolCall, ToolDefinition } from '../../chat/types';
import { canonicalJson, parseObject } from '../../json';
import { isRecord, type JsonRecord, plainNumber, recordOf } from '../../values';
import { cases, tools } from './cases.json';

interface ExpectedCall {
	name: string;
	arguments: JsonRecord;
}

export interface ToolCase {
	case: string;
	question: string;
	/** In any order; none where the question needs no tool. */
	calls: readonly ExpectedCall[];
	/** What the tool answers, and the calls that must follow. */
	then?: { result: string; calls: readonly ExpectedCall[] };
	/** The answer may quote the call of the question. */
	mayQuote?: boolean;
}

/** All of them are offered in every case, as an agent does. */
export const TOOLS: readonly ToolDefinition[] = tools;
export const CASES: readonly ToolCase[] = cases;
/** n8n's agent has it by default. */
export const SYSTEM_PROMPT = 'You are a helpful assistant';

export const PROBLEMS = {
	noCall: 'no tool was called',
	textCall: 'the call was only written as text',
	needlessCall: 'a tool was called where none is needed',
	wrongTool: 'the wrong tool was called',
	wrongCount: 'too few or too many calls in one answer',
	wrongArguments: 'the arguments are not those that were asked for',
	notCorrected: 'the call was not corrected after its error',
	brokenCall: 'the call cannot be read',
	cut: 'the answer did not end within Tokens per Answer',
	noAnswer: 'nothing was said, or nothing but thinking',
	notTried: 'not tried, which says nothing of the model',
};

export type ToolProblem = keyof typeof PROBLEMS;

/** What is wrong with an answer; undefined where it is right. One that its limit cut off proves nothing. */
export function judgeAnswer(
	expected: readonly ExpectedCall[],
	{
		toolCalls,
		finishReason,
		callNotRun,
	}: Pick<FinishedAnswer, 'toolCalls' | 'finishReason' | 'callNotRun'>,
	mayQuote = false,
): ToolProblem | undefined {
	if (finishReason === 'length') return 'cut';
	if (toolCalls.length > 0) return judgeCalls(expected, toolCalls);
	if (callNotRun !== undefined && !mayQuote) return 'textCall';
	return expected.length === 0 ? undefined : 'noCall';
}

function judgeCalls(
	expected: readonly ExpectedCall[],
	calls: readonly ToolCall[],
): ToolProblem | undefined {
	if (expected.length === 0) return 'needlessCall';
	if (calls.some(({ name }) => !expected.some((call) => call.name === name))) return 'wrongTool';
	if (calls.length !== expected.length) return 'wrongCount';
	const right = expected.map((call) => same(call.name, call.arguments)).sort();
	const made = calls.map(valueOf).sort();
	return made.join() === right.join() ? undefined : 'wrongArguments';
}

function valueOf({ name, arguments: args }: ToolCall): string {
	return same(name, cast(parseObject(args), TOOLS.find((one) => one.name === name)?.parameters));
}

function same(name: string, args: unknown): string {
	return `${name} ${canonicalJson(args ?? null).normalize()}`;
}

/** Text that is a number counts as one where the schema wants a number. Blanks around a text do not count. */
function cast(value: unknown, schema: unknown): unknown {
	const { type, properties, items } = recordOf(schema);
	if (type === 'number' || type === 'integer') return plainNumber(value) ?? value;
	if (typeof value === 'string') return value.trim();
	if (Array.isArray(value)) return value.map((one) => cast(one, items));
	if (!isRecord(value)) return value;
	return Object.fromEntries(
		Object.entries(value).map(([key, one]) => [key, cast(one, recordOf(properties)[key])]),
	);
}
