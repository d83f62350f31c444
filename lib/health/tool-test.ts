/** Tests with eight cases whether a model calls tools correctly, as a chat model in n8n. */
import { runTurn } from '../chat/turn';
import type { ChatResult } from '../chat/chat-result';
import type { ToolDefinition } from '../chat/tool-definition';
import type { InputMessage } from '../chat/input-message';
import { toInputParts } from '../chat/input-message';
import type { ServerError } from '../errors/server-error';
import type { ErrorType } from '../errors/error-types';
import { asServerErrorOrThrow } from '../errors/server-error';
import { toShownModelName } from '../servers/model-names';
import type { ModelServer } from '../servers/types/server-type';
import { composeText } from '../values/safe-text';
import type { JsonRecord } from '../values/records';
import { omitUndefined } from '../values/records';
import { stringifyCanonical, parseObject } from '../values/json';
import { cases, tools } from './cases.json';
import type { CheckTarget } from './check';
import { canGenerate, selectTestModel } from './test-model';
import type { CheckResult, FindingRules } from './check-result';
import {
	concludeHealth,
	summarizeWithFindingCounts,
	evaluateRules,
	findingFromGenerationError,
} from './check-result';

interface ExpectedCall {
	name: string;
	arguments: JsonRecord;
}

export interface ToolCase {
	name: string;
	question: string;
	/** In any order; empty if the question needs no tool. */
	calls: readonly ExpectedCall[];
	followUp?: FollowUp;
}

/** The second request of a case. */
interface FollowUp {
	/** Result of every tool call of the first response. */
	result: string;
	/** The calls that must follow. */
	calls: readonly ExpectedCall[];
}

/** Every case offers all tools, as an agent does. */
const TOOLS: readonly ToolDefinition[] = tools.map((tool) => ({ ...tool, origin: 'node' }));
export const CASES: readonly ToolCase[] = cases;
/** Default of n8n's agent. */
const SYSTEM_PROMPT = 'You are a helpful assistant';

const PROBLEMS = {
	noCall: 'no tool was called',
	unnecessaryCall: 'a tool was called although none is needed',
	wrongTool: 'the wrong tool was called',
	wrongCount: 'wrong number of calls in one response',
	wrongArguments: 'the arguments differ from the requested ones',
	notCorrected: 'the call was not corrected after its error',
	invalidCall: 'the call could not be parsed',
	truncated: 'the response did not finish within Maximum Tokens',
	noResponse: 'empty response, or only thinking',
	skipped: 'not tested; says nothing about the model',
};

type ToolProblem = keyof typeof PROBLEMS;

export interface ToolTestOptions {
	/** Empty: the loaded model. */
	model: string;
	/** Per response. */
	maxTokens: number;
	/** For the whole test. */
	timeoutMs: number;
	signal?: AbortSignal;
	/** Called after each case. */
	onCase?(result: CaseResult, number: number): Promise<void> | void;
}

/** One row of the table. */
export interface CaseResult {
	case: string;
	question: string;
	/** Calls of the model, or its text; for an error, the error message. */
	called: string;
	passed: boolean;
	/** Missing for a case that passed. */
	problem?: ToolProblem;
}

/** Result of all cases. */
interface ToolTestResult {
	model: string;
	passed: number;
	/** Cases with a response, passed or not. */
	completed: number;
	/** Cases without a response. */
	skipped: number;
	cases: CaseResult[];
}

export interface ToolCheckResult extends CheckResult {
	/** Missing if the check found that a chat cannot work. */
	toolTest?: ToolTestResult;
}

/**
 * Adds a tool test to the result of a check. A model that fails most cases makes the server unhealthy.
 *
 * @throws a `ServerError` of type `aborted`, or `invalidInput` if the model is ambiguous
 */
export async function addToolTest(
	target: CheckTarget,
	health: CheckResult,
	options: ToolTestOptions,
): Promise<ToolCheckResult> {
	if (target.service !== 'modelServer' || !canGenerate(health)) return health;
	const model = selectTestModel(health, options.model);
	const { toolTest, error } = await runCases(target.createServer(), { ...options, model });
	// A template without tool support is a result, not an outage.
	const isUnsupported = error?.type === 'toolsUnsupported';
	const isOutage = toolTest.completed === 0 && error !== undefined && !isUnsupported;
	const findings = isOutage
		? [await findingFromGenerationError(error)]
		: evaluateRules(TOOL_RULES, { ...toolTest, isUnsupported });
	const outcome = concludeHealth([...findings, ...health.findings], health.status);
	const { passed, completed, skipped } = toolTest;
	const skippedText = skipped > 0 ? `, ${skipped} not tested` : '';
	const summary = isOutage
		? summarizeWithFindingCounts(`The server is ${outcome.status}`, outcome)
		: composeText(
				`${toShownModelName(model)}: ${passed} of ${completed} tool cases passed${skippedText}.`,
			);
	return { ...health, ...outcome, summary, toolTest };
}

/** Input of the findings. */
interface ToolFacts extends ToolTestResult {
	/** The server rejected all tools. */
	isUnsupported: boolean;
}

/** Whether most cases were completed, and most of those failed. */
function cannotUseTools({ passed, completed, skipped, isUnsupported }: ToolFacts) {
	return isUnsupported || (passed * 2 < completed && completed > skipped);
}

function listProblems({ passed, completed, cases: results }: ToolFacts) {
	const wrong = results.filter(({ problem }) => problem !== undefined && problem !== 'skipped');
	if (wrong.length === 0) return undefined;
	const problems = wrong.map((result) => `${result.case}: ${PROBLEMS[result.problem!]}`);
	return `${passed} of ${completed} passed; ${problems.join('; ')}`;
}

export const TOOL_RULES: FindingRules<ToolFacts> = {
	toolsUnusable: (facts) => ({
		status: 'misconfigured',
		observed: cannotUseTools(facts) && (listProblems(facts) ?? facts.cases[0]?.called),
		detail: `The model "${facts.model}" cannot be used with tools: it passed ${facts.passed} of ${facts.cases.length} cases`,
		suggestion:
			'Use a larger model, or one made for tools, and let the server use the chat template of the model (llama-server: --jinja). The test results show the prompt and the calls of each case.',
	}),
	toolsUnreliable: (facts) => ({
		severity: 'warning',
		observed: !cannotUseTools(facts) && listProblems(facts),
		detail: `The model "${facts.model}" does not always call tools correctly on this server`,
		suggestion:
			'An agent with this model will fail occasionally. Use a larger model, or one made for tools, and let the server use the chat template of the model. The test results show the prompt and the calls of each case.',
	}),
	toolTestIncomplete: ({ cases: results, model, skipped, completed }) => ({
		severity: 'warning',
		observed: results.find(({ problem }) => problem === 'skipped')?.called,
		detail: `${skipped} of ${completed + skipped} tool test cases got no response from the model "${model}"`,
		suggestion:
			'Fix the problem shown here (if the model does not support tools, choose another one), or raise the test timeout, and run the test again.',
	}),
};

const MAX_CALLED = 300;

/** Errors of the model, not of its server. */
const PROBLEM_BY_ERROR: Partial<Record<ErrorType, ToolProblem>> = {
	invalidToolCall: 'invalidCall',
	outputParseFailed: 'invalidCall',
	toolCallTruncated: 'truncated',
	onlyThinking: 'noResponse',
	emptyResponse: 'noResponse',
	garbledOutput: 'noResponse',
};

/** Result of a case. */
interface CaseOutcome {
	/** Missing if the case passed. */
	problem?: ToolProblem;
	called: string;
	/** The server did not respond, so the case does not count. */
	error?: ServerError;
}

/** Result of the test, and the first error of the server. */
interface CasesOutcome {
	toolTest: ToolTestResult;
	error: ServerError | undefined;
}

async function runCases(server: ModelServer, options: ToolTestOptions): Promise<CasesOutcome> {
	const endsAt = performance.now() + options.timeoutMs;
	const cases: CaseResult[] = [];
	let firstError: ServerError | undefined;
	for (const toolCase of CASES) {
		const { problem, called, error }: CaseOutcome =
			performance.now() >= endsAt
				? { problem: 'skipped', called: 'The test timed out' }
				: await runCase(server, toolCase, { ...options, endsAt }).catch(toCaseOutcome);
		firstError ??= error;
		const result = {
			case: toolCase.name,
			question: toolCase.question,
			called: called.slice(0, MAX_CALLED),
			passed: problem === undefined,
			...omitUndefined({ problem }),
		};
		cases.push(result);
		await options.onCase?.(result, cases.length);
	}
	const skipped = cases.filter(({ problem }) => problem === 'skipped').length;
	const passed = cases.filter((result) => result.passed).length;
	const completed = cases.length - skipped;
	return {
		toolTest: { model: options.model, passed, completed, skipped, cases },
		error: firstError,
	};
}

function toCaseOutcome(cause: unknown): CaseOutcome {
	const error = asServerErrorOrThrow(cause);
	if (error.type === 'aborted') throw error;
	const problem = toToolProblem(error);
	const called = [error.message, error.serverText].filter(Boolean).join(': ');
	return { problem, called, error: problem === 'skipped' ? error : undefined };
}

interface CaseOptions extends Pick<ToolTestOptions, 'model' | 'maxTokens' | 'signal'> {
	/** When the whole test ends, on the clock of `performance.now()`. */
	endsAt: number;
}

async function runCase(
	server: ModelServer,
	{ question, calls, followUp }: ToolCase,
	{ model, maxTokens, signal, endsAt }: CaseOptions,
): Promise<CaseOutcome> {
	/** Uses the defaults of Local Chat Model, with a seed, so that a test can be repeated. */
	const send = async (messages: InputMessage[]) => {
		const leftMs = Math.max(1, Math.round(endsAt - performance.now()));
		return await runTurn({
			server,
			settings: {
				model,
				sampling: { maxTokens, seed: 1 },
				thinkingHistory: 'toolTurns',
				showThinking: false,
				timeouts: { firstTokenMs: leftMs, idleMs: leftMs, totalMs: leftMs },
				retries: 0,
			},
			chatRequest: { messages, tools: TOOLS, signal, isNeededOnlyAtEnd: true },
		});
	};
	const messages: InputMessage[] = [
		{ type: 'system', content: toInputParts(SYSTEM_PROMPT, 'node') },
		{ type: 'human', content: toInputParts(question, 'node') },
	];
	const result = await send(messages);
	const problem = findToolProblem(calls, result);
	if (problem !== undefined || followUp === undefined) {
		return { problem, called: formatCompletion(result) };
	}
	const next = await send([...messages, ...toCallMessages(result, followUp.result)]);
	const nextProblem = findToolProblem(followUp.calls, next);
	return {
		problem: nextProblem === 'wrongArguments' ? 'notCorrected' : nextProblem,
		called: formatCompletion(next),
	};
}

function toToolProblem({ type, facts }: ServerError): ToolProblem {
	if (type === 'invalidToolCall' && facts.offeredTools !== undefined) return 'wrongTool';
	if (type === 'invalidToolCall' && facts.missingArguments !== undefined) return 'wrongArguments';
	const problem = PROBLEM_BY_ERROR[type] ?? 'skipped';
	return problem === 'noResponse' && facts.finishReason === 'length' ? 'truncated' : problem;
}

function formatCompletion({ toolCalls, text }: ChatResult) {
	return toolCalls.map(({ name, arguments: args }) => `${name}(${args})`).join(' ') || text.trim();
}

/** The message with the tool calls, and the same tool result for each. */
function toCallMessages(
	{ text, reasoning, toolCalls }: ChatResult,
	content: string,
): InputMessage[] {
	const calls = toolCalls.map(({ id, name, arguments: args }) => ({
		id,
		name,
		args: parseObject(args) ?? {},
	}));
	return [
		{ type: 'ai', content: toInputParts(text, 'model'), reasoning, toolCalls: calls },
		...calls.map(({ id, name }): InputMessage => ({
			type: 'tool',
			toolCallId: id,
			name,
			content: toInputParts(content, 'node'),
		})),
	];
}

/**
 * Compares a response with the expected calls. A truncated response never passes.
 *
 * @returns the problem; undefined if the response is correct
 */
export function findToolProblem(
	expected: readonly ExpectedCall[],
	{ toolCalls: calls, finishReason }: Pick<ChatResult, 'toolCalls' | 'finishReason'>,
): ToolProblem | undefined {
	if (finishReason === 'length') return 'truncated';
	if (calls.length === 0) return expected.length === 0 ? undefined : 'noCall';
	if (expected.length === 0) return 'unnecessaryCall';
	if (calls.some(({ name }) => !expected.some((call) => call.name === name))) return 'wrongTool';
	if (calls.length !== expected.length) return 'wrongCount';
	const correct = expected.map((call) => formatCall(call.name, call.arguments)).sort();
	// The chat turn has already coerced arguments to the schema, such as "5" to 5 for a number.
	const actual = calls.map((call) => formatCall(call.name, parseObject(call.arguments))).sort();
	return actual.join() === correct.join() ? undefined : 'wrongArguments';
}

function formatCall(name: string, args: unknown) {
	return `${name} ${stringifyCanonical(args ?? null).normalize()}`;
}
