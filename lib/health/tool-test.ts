/** Whether a model calls tools right: eight cases, on the way of a chat model in n8n. */
import { runTurn } from '../chat/turn';
import type {
	ChatSettings,
	ChatResult,
	InputMessage,
	ToolCall,
	ToolDefinition,
} from '../chat/types';
import type { ErrorType } from '../errors/error-types';
import { captureError, type ServerError } from '../errors/server-error';
import { stringifyCanonical, parseObject } from '../json';
import type { ModelServer } from '../servers/types/server-type';
import type { JsonRecord } from '../values';
import { cases, tools } from './cases.json';
import { canGenerate, selectTestModel, type CheckTarget } from './check';
import {
	summarizeFindings,
	evaluateRules,
	type FindingRule,
	findingFromGenerationError,
} from './findings';
import type { CheckResult } from './result';

interface ExpectedCall {
	name: string;
	arguments: JsonRecord;
}

export interface ToolCase {
	name: string;
	question: string;
	/** In any order; none where the question needs no tool. */
	calls: readonly ExpectedCall[];
	/** What the tool answers, and the calls that must follow. */
	followUp?: { result: string; calls: readonly ExpectedCall[] };
}

/** All of them are offered in every case, as an agent does. */
const TOOLS: readonly ToolDefinition[] = tools;
export const CASES: readonly ToolCase[] = cases;
/** n8n's agent has it by default. */
const SYSTEM_PROMPT = 'You are a helpful assistant';

const PROBLEMS = {
	noCall: 'no tool was called',
	unnecessaryCall: 'a tool was called although none is needed',
	wrongTool: 'the wrong tool was called',
	wrongCount: 'wrong number of calls in one response',
	wrongArguments: 'the arguments differ from the requested ones',
	notCorrected: 'the call was not corrected after its error',
	invalidCall: 'the call could not be parsed',
	truncated: 'the response did not finish within Max Tokens per Response',
	noResponse: 'empty response, or only thinking',
	skipped: 'not tested; says nothing about the model',
};

type ToolProblem = keyof typeof PROBLEMS;

export interface ToolTestOptions {
	/** Empty: the one that is loaded. */
	model: string;
	/** Most tokens of one answer. */
	maxTokens: number;
	/** For the whole test, in milliseconds. */
	timeoutMs: number;
	signal?: AbortSignal;
}

/** One row of the table. */
interface CaseResult {
	case: string;
	question: string;
	/** What the model called, or else said; of a failure, what the server said. */
	called: string;
	passed: boolean;
	problem: ToolProblem | null;
}

interface ToolTestResult {
	model: string;
	passed: number;
	/** Answers of the model, right or wrong. */
	completed: number;
	skipped: number;
	cases: CaseResult[];
}

/** Null where the check found that a chat cannot work. */
export type ToolCheckResult = CheckResult & { toolTest: ToolTestResult | null };

/**
 * Adds to what a check found out whether a model calls tools right. A bad result leaves the server healthy.
 *
 * @throws {ServerError} of kind `aborted`, or `invalidInput` where it is not clear which model is meant
 */
export async function addToolTest(
	target: CheckTarget,
	health: CheckResult,
	options: ToolTestOptions,
): Promise<ToolCheckResult> {
	if (target.service !== 'modelServer' || !canGenerate(health))
		return { ...health, toolTest: null };
	const model = selectTestModel(health, options.model);
	const { toolTest, failed } = await runCases(target.open(), { ...options, model });
	// A template that takes no tools is a result, not an outage.
	const isRefused =
		toolTest.completed === 0 && failed !== undefined && failed.type !== 'toolsUnsupported';
	const found = isRefused
		? [findingFromGenerationError(failed)]
		: evaluateRules(TOOL_FINDINGS, toolTest);
	const verdict = summarizeFindings([...found, ...health.findings], health.status);
	const { passed, completed, skipped } = toolTest;
	const missing = skipped > 0 ? `, ${skipped} not tested` : '';
	const summary = isRefused
		? `${verdict.findings[0]!.detail}.`
		: `${model}: ${passed} of ${completed} tool cases passed${missing}.`;
	return { ...health, ...verdict, summary, toolTest };
}

export const TOOL_FINDINGS: ReadonlyArray<FindingRule<ToolTestResult>> = [
	{
		id: 'toolsUnreliable',
		severity: 'warning',
		observe: ({ passed, completed, cases: all }) => {
			const wrong = all.filter(({ problem }) => problem !== null && problem !== 'skipped');
			if (wrong.length === 0) return undefined;
			const problems = wrong.map((one) => `${one.case}: ${PROBLEMS[one.problem!]}`);
			return `${passed} of ${completed} passed; ${problems.join('; ')}`;
		},
		detail: ({ model }) =>
			`The model "${model}" does not always call tools correctly on this server`,
		suggestion:
			'An agent with this model will fail occasionally. Use a larger model, or one made for tools, and let the server use the chat template of the model. The test results show the prompt and the calls of each case.',
	},
	{
		id: 'toolTestIncomplete',
		severity: 'warning',
		observe: ({ cases: all }) => all.find(({ problem }) => problem === 'skipped')?.called,
		detail: ({ model, skipped, completed }) =>
			`${skipped} of ${completed + skipped} tool test cases got no response from the model "${model}"`,
		suggestion:
			'Fix the problem shown here (if the model does not support tools, choose another one), or raise the test timeout, and run the test again.',
	},
];

const MAX_CALLED = 300;

/** Failures of the model, not of its server. */
const PROBLEM_BY_ERROR: Partial<Record<ErrorType, ToolProblem>> = {
	invalidToolCall: 'invalidCall',
	outputParseFailed: 'invalidCall',
	toolCallTruncated: 'truncated',
	onlyThinking: 'noResponse',
	emptyResponse: 'noResponse',
	garbledOutput: 'noResponse',
};

/** What came of a case. `failed`: the server did not answer, which says nothing of the model. */
interface CaseOutcome {
	problem?: ToolProblem;
	called: string;
	failed?: ServerError;
}

async function runCases(
	server: ModelServer,
	options: ToolTestOptions,
): Promise<{ toolTest: ToolTestResult; failed?: ServerError }> {
	const endsAt = performance.now() + options.timeoutMs;
	const outcomes: CaseOutcome[] = [];
	for (const one of CASES) {
		const isOver = performance.now() >= endsAt;
		outcomes.push(
			isOver
				? { problem: 'skipped', called: 'The test timed out' }
				: await runCase(server, one, options, endsAt).catch(outcomeOfFailure),
		);
	}
	const results = outcomes.map(({ problem = null, called }, at): CaseResult => {
		const { name, question } = CASES[at]!;
		const shown = called.slice(0, MAX_CALLED);
		return { case: name, question, called: shown, passed: problem === null, problem };
	});
	const skipped = results.filter(({ problem }) => problem === 'skipped').length;
	const toolTest: ToolTestResult = {
		model: options.model,
		passed: results.filter(({ passed }) => passed).length,
		completed: results.length - skipped,
		skipped,
		cases: results,
	};
	return { toolTest, failed: outcomes.find(({ failed }) => failed !== undefined)?.failed };
}

function outcomeOfFailure(error: unknown): CaseOutcome {
	const { failed } = captureError(error);
	if (failed.type === 'aborted') throw failed;
	const problem = problemOf(failed);
	const called = [failed.message, failed.serverText].filter(Boolean).join(': ');
	return problem === 'skipped' ? { problem, called, failed } : { problem, called };
}

async function runCase(
	server: ModelServer,
	{ question, calls, followUp }: ToolCase,
	{ model, maxTokens, signal }: ToolTestOptions,
	endsAt: number,
): Promise<CaseOutcome> {
	/** Asks as Local Chat Model does by default, with a seed, so that a test can be repeated. */
	const ask = async (messages: InputMessage[]) => {
		const leftMs = Math.max(1, Math.round(endsAt - performance.now()));
		const settings: ChatSettings = {
			model,
			parameters: { maxTokens, seed: 1 },
			thinkingHistory: 'toolTurns',
			showThinking: false,
			timeouts: { firstTokenMs: leftMs, idleMs: leftMs, totalMs: leftMs },
			retries: 0,
		};
		return await runTurn(server, settings, { messages, tools: TOOLS, signal, isBuffered: true });
	};
	const messages: InputMessage[] = [
		{ type: 'system', content: SYSTEM_PROMPT },
		{ type: 'human', content: question },
	];
	const answer = await ask(messages);
	const problem = findToolProblem(calls, answer);
	if (problem !== undefined || followUp === undefined)
		return { problem, called: formatCompletion(answer) };
	const next = await ask([...messages, ...afterCalls(answer, followUp.result)]);
	const nextProblem = findToolProblem(followUp.calls, next);
	const isNotCorrected = nextProblem === 'wrongArguments';
	return { problem: isNotCorrected ? 'notCorrected' : nextProblem, called: formatCompletion(next) };
}

function problemOf({ type, facts }: ServerError): ToolProblem {
	if (type === 'invalidToolCall' && facts.offeredTools !== undefined) return 'wrongTool';
	if (type === 'invalidToolCall' && facts.missingArguments !== undefined) return 'wrongArguments';
	const problem = PROBLEM_BY_ERROR[type] ?? 'skipped';
	return problem === 'noResponse' && facts.finishReason === 'length' ? 'truncated' : problem;
}

function formatCompletion({ toolCalls, text }: ChatResult): string {
	return toolCalls.map(({ name, arguments: args }) => `${name}(${args})`).join(' ') || text.trim();
}

/** The calls of an answer, each with the same result. */
function afterCalls({ text, reasoning, toolCalls }: ChatResult, content: string): InputMessage[] {
	const calls = toolCalls.map(({ id, name, arguments: args }) => ({
		id,
		name,
		args: parseObject(args) ?? {},
	}));
	return [
		{ type: 'ai', content: text, reasoning, toolCalls: calls },
		...calls.map(({ id, name }): InputMessage => ({ type: 'tool', toolCallId: id, name, content })),
	];
}

/** What is wrong with an answer; undefined where it is right. One that its limit cut off proves nothing. */
export function findToolProblem(
	expected: readonly ExpectedCall[],
	answer: Pick<ChatResult, 'toolCalls' | 'finishReason'>,
): ToolProblem | undefined {
	const { toolCalls, finishReason } = answer;
	if (finishReason === 'length') return 'truncated';
	if (toolCalls.length > 0) return compareCalls(expected, toolCalls);
	return expected.length === 0 ? undefined : 'noCall';
}

function compareCalls(
	expected: readonly ExpectedCall[],
	calls: readonly ToolCall[],
): ToolProblem | undefined {
	if (expected.length === 0) return 'unnecessaryCall';
	if (calls.some(({ name }) => !expected.some((call) => call.name === name))) return 'wrongTool';
	if (calls.length !== expected.length) return 'wrongCount';
	const right = expected.map((call) => written(call.name, call.arguments)).sort();
	// Arguments fit the schema already: a chat turn takes "5" for 5 where a number is wanted.
	const made = calls.map(({ name, arguments: args }) => written(name, parseObject(args))).sort();
	return made.join() === right.join() ? undefined : 'wrongArguments';
}

function written(name: string, args: unknown): string {
	return `${name} ${stringifyCanonical(args ?? null).normalize()}`;
}
