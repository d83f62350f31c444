import { estimateTokens } from '../../servers/manage/tokens';
import { tokensPerSecond } from '../../chat/traced-answer';
import type { FinishedAnswer, SourceMessage, Usage } from '../../chat/types';
import type { FailureKind } from '../../errors/kinds';
import { ServerError } from '../../errors/server-error';
import type { Connection } from '../../http/connection';
import { readToEnd } from '../../generators';
import { parseObject } from '../../values';
import { moreContext } from '../../servers/context-facts';
import { kindOfServer } from '../answers';
import type { CheckResult, ProbeFailure } from '../observations';
import { describeFailure } from '../probes/probe';
import {
	advise,
	AS_WARNING,
	fromFailure,
	fromGeneration,
	withTestFindings,
	type FindingWithStatus,
} from '../findings/finding';
import type { Target } from '../probes/observe';
import { testClient, testServers } from '../model-test';
import { average } from '../numbers';
import { asServerError } from '../speed/measure';
import {
	factsOfModel,
	modelToTest,
	type SpeedTestOptions,
	withoutModel,
} from '../speed/speed-test';
import { builderSet } from './builder';
import {
	judgeAnswer,
	PROBLEMS,
	STANDARD_SET,
	type ToolCase,
	type ToolProblem,
	type ToolSet,
} from './cases';

/** `builder`: as large as what n8n's AI Assistant asks. */
export type ToolSetName = 'standard' | 'builder';

export interface ToolTestOptions extends Pick<SpeedTestOptions, 'model' | 'signal'> {
	toolSet: ToolSetName;
	/** `all`: every chat model of the server that runs on it. */
	models: 'one' | 'all';
	/** Tries of each case. */
	tries: number;
	/** Most tokens of one answer. */
	tokens: number;
	/** For the whole test, in milliseconds. */
	limitMs: number;
	/** Only tells the cost; nothing is sent. */
	costOnly?: boolean;
	/** Part of a report: an unclear model is a finding, not an error. */
	isPart?: boolean;
}

/** Results of tries. `tried`: answers of the model, right or wrong. */
export interface Tally {
	passed: number;
	tried: number;
	notTried: number;
	/** What went wrong, with what the model did or the server said the first time. */
	wrong: Array<{ problem: ToolProblem; times: number; did: string }>;
}

/** Null where the check found that a chat cannot work. No models: only the cost was computed. */
export type WithToolTest<R> = R & {
	toolTest: { toolSet: ToolSetName; cost: ToolTestCost; models: ModelToolTest[] } | null;
};

/** Tokens of a question, and what a template adds. */
const AROUND_TOOLS = 100;
const MAX_DID = 300;

/** Failures of the model, not of its server. */
const OF_MODEL: Partial<Record<FailureKind, ToolProblem>> = {
	toolCallInvalid: 'brokenCall',
	outputUnreadable: 'brokenCall',
	toolCallCut: 'cut',
	onlyThinking: 'noAnswer',
	emptyAnswer: 'noAnswer',
	garbledAnswer: 'noAnswer',
};

/**
 * Adds to what a check found out whether models call tools right: the cases of a set, each several times, on the way
 * of a chat model in n8n.
 *
 * @throws {ServerError} of kind `aborted`, or `invalidInput` where it is not clear which model is meant
 */
export async function withToolTest<R extends CheckResult>(
	target: Target,
	health: R,
	options: ToolTestOptions,
): Promise<WithToolTest<R>> {
	const endsAt = performance.now() + options.limitMs;
	return await testServers<R, WithToolTest<object>>(
		target,
		health,
		{ toolTest: null },
		async (server, result) => await testServer(server, result, options, endsAt),
	);
}

async function testServer<R extends CheckResult>(
	target: Target,
	health: R,
	options: ToolTestOptions,
	endsAt: number,
): Promise<WithToolTest<R>> {
	const names = modelsOf(target, health, options);
	if (names instanceof ServerError) {
		if (options.isPart !== true) throw names;
		return { ...withoutModel(health, names), toolTest: null };
	}
	const { toolSet } = options;
	const set = toolSet === 'builder' ? builderSet() : STANDARD_SET;
	const promptTokens = promptTokensOf(set);
	const cost = costOf(names, set, promptTokens, options);
	const models: ModelToolTest[] = [];
	if (options.costOnly !== true)
		for (const model of names) {
			const test = new ModelTest(target.connect({}), model, set, options, endsAt);
			models.push(await test.run(smallContext(health, model, promptTokens, options)));
		}
	const verdict = withTestFindings(health, testFindings(models));
	const toolTest = { toolSet, cost, models };
	const summary = summaryOf(health, verdict, toolTest, options);
	return { ...health, ...verdict, summary, toolTest };
}

/** If one model answered, failures of the others are only warnings. */
function testFindings(models: readonly ModelToolTest[]): FindingWithStatus[] {
	const findings = models.flatMap(findingsOf);
	const isAnswered = models.some(({ tried }) => tried > 0);
	return isAnswered ? findings.map((one) => ({ ...one, ...AS_WARNING })) : findings;
}

function summaryOf(
	health: CheckResult,
	{ status, findings }: Pick<CheckResult, 'status' | 'findings'>,
	{ cost, models }: { cost: ToolTestCost; models: readonly ModelToolTest[] },
	{ isPart }: ToolTestOptions,
): string {
	if (status !== health.status) return `${findings[0]!.meaning}.`;
	if (isPart === true || !health.healthy || cost.models.length === 0) return health.summary;
	return models.map(resultInWords).join(' ') || costInWords(cost);
}

function modelsOf(
	{ modelNamed }: Target,
	health: CheckResult,
	{ models, model }: ToolTestOptions,
): string[] | ServerError {
	const known = health.models ?? [];
	// What runs elsewhere may cost money there, and is tested by its name only.
	if (models === 'all')
		return known
			.filter(({ embeddings, remoteHost }) => embeddings !== true && remoteHost === null)
			.map(({ id }) => id);
	const name = model.trim();
	if (name !== '') return [modelNamed?.(name) ?? name];
	const only = modelToTest(known, health.server.kind);
	return typeof only === 'string' ? [only] : only;
}

/** Estimated. */
function promptTokensOf({ system, tools }: ToolSet): number {
	return estimateTokens(system + JSON.stringify(tools)) + AROUND_TOOLS;
}

/**
 * Why no prompt of the set fits into the context of a model, as far as the server tells its size.
 *
 * @param needed tokens of a prompt
 */
function smallContext(
	health: CheckResult,
	model: string,
	needed: number,
	{ tokens }: ToolTestOptions,
): ProbeFailure | undefined {
	const { context, trainedContext } = factsOfModel(health, model) ?? {};
	if (typeof context !== 'number' || context > needed) return undefined;
	const contextSize = needed + tokens;
	const slots = health.slots?.total ?? undefined;
	const facts = { needed, contextSize, slots, trained: trainedContext ?? undefined };
	return {
		kind: 'contextOverflow',
		message: `One request can use ${context} tokens of context, but a prompt of this tool set takes about ${needed}: with the answer, ${contextSize} are needed`,
		remedy: moreContext(kindOfServer(health.server.kind).words, facts),
	};
}

/** The most that a test takes, known before its first request. The tokens of prompts are estimated. */
function costOf(
	models: string[],
	{ cases }: ToolSet,
	promptTokens: number,
	{ tries, tokens, limitMs }: ToolTestOptions,
) {
	const requestsOfTry = cases.reduce((all, { then }) => all + (then === undefined ? 1 : 2), 0);
	const requests = models.length * tries * requestsOfTry;
	return {
		models,
		requests,
		generatedTokens: requests * tokens,
		promptTokens: requests * promptTokens,
		seconds: Math.round(limitMs / 1000),
	};
}

type ToolTestCost = ReturnType<typeof costOf>;

function costInWords(cost: ToolTestCost): string {
	const { models, requests, generatedTokens, promptTokens, seconds } = cost;
	return `At most ${requests} requests, ${generatedTokens} generated tokens, ${seconds} s, and about ${promptTokens} tokens of prompts for a tool test of ${models.join(', ')}.`;
}

export function resultInWords(test: ModelToolTest): string {
	const { model, passed, tried, notTried, tokensPerSecond: speed, ...used } = test;
	const { requests, promptTokens = 'unknown', generatedTokens = 'unknown' } = used;
	const missing = notTried > 0 ? `, ${notTried} not tried` : '';
	const pace = speed === null ? '' : ` at ${speed} tokens/s`;
	return `${model}: ${passed} of ${tried} tries with tools passed${missing}. ${requests} requests, ${promptTokens} tokens of prompts, ${generatedTokens} generated${pace}.`;
}

function findingsOf(test: ModelToolTest): FindingWithStatus[] {
	const { model, passed, tried, notTried, wrong, notes, failure, requests } = test;
	if (tried === 0 && failure !== null)
		return [requests === 0 ? fromFailure(failure, 'No request was sent') : fromGeneration(failure)];
	const findings: FindingWithStatus[] = [];
	if (passed < tried) {
		const problems = wrong.map(({ problem, times }) => `${times} × ${PROBLEMS[problem]}`);
		const observed = [`${passed} of ${tried} passed: ${problems.join('; ')}`, ...notes].join('. ');
		findings.push(advise('toolsUnreliable', observed, { model }));
	}
	const reason = wrong.find(({ problem }) => problem === 'notTried');
	if (reason !== undefined) {
		const facts = { model, count: notTried, required: tried + notTried };
		findings.push(advise('toolsNotTried', reason.did, facts));
	}
	return findings;
}

/** Results of one model. */
export interface ModelToolTest extends Tally {
	model: string;
	/** Why the first try that was not made was not. */
	failure: ProbeFailure | null;
	requests: number;
	promptTokens?: number;
	generatedTokens?: number;
	tokensPerSecond: number | null;
	cases: Array<Tally & { case: string }>;
	notes: string[];
}

/** One model through all cases. */
class ModelTest {
	private readonly used: Pick<ModelToolTest, 'requests' | 'promptTokens' | 'generatedTokens'> = {
		requests: 0,
	};
	private readonly speeds: number[] = [];
	private readonly notes = new Set<string>();
	private failure: ProbeFailure | null = null;

	constructor(
		private readonly connection: Connection,
		private readonly model: string,
		private readonly set: ToolSet,
		private readonly options: ToolTestOptions,
		private readonly endsAt: number,
	) {}

	/** `hindrance`: why nothing is sent. */
	async run(hindrance: ProbeFailure | undefined): Promise<ModelToolTest> {
		this.failure = hindrance ?? null;
		const all = newTally();
		const cases = this.set.cases.map((one) => ({ case: one.case, ...newTally() }));
		// Every case once before any is repeated, so that a time limit leaves results of all.
		for (let seed = 1; seed <= this.options.tries; seed++)
			for (const [at, one] of this.set.cases.entries()) {
				const outcome: Outcome = hindrance
					? ['notTried', hindrance.message]
					: await this.tryOnce(one, seed);
				for (const tally of [all, cases[at]!]) count(tally, outcome);
			}
		return {
			model: this.model,
			...all,
			failure: this.failure,
			...this.used,
			tokensPerSecond: average(this.speeds),
			cases,
			notes: [...this.notes],
		};
	}

	private async tryOnce(one: ToolCase, seed: number): Promise<Outcome> {
		try {
			return await this.play(one, seed);
		} catch (error) {
			const failed = asServerError(error);
			if (failed.kind === 'aborted') throw failed;
			this.count(failed.facts.usage as Usage | undefined);
			const problem = problemOf(failed);
			if (problem === 'notTried') this.failure ??= describeFailure(failed);
			return [problem, [failed.message, failed.serverText].filter(Boolean).join(': ')];
		}
	}

	private async play(
		{ question, calls, then, mayQuote }: ToolCase,
		seed: number,
	): Promise<Outcome> {
		const { system, tools } = this.set;
		const messages: SourceMessage[] = [
			{ type: 'system', content: system },
			{ type: 'human', content: question },
		];
		const answer = await this.ask(messages, seed);
		const problem = judgeAnswer(calls, answer, { tools, mayQuote });
		if (problem !== undefined || then === undefined) return [problem, writtenIn(answer)];
		const next = await this.ask([...messages, ...afterCalls(answer, then.result)], seed);
		const nextProblem = judgeAnswer(then.calls, next, { tools });
		const isSameTool = then.calls[0]?.name === calls[0]?.name;
		const isNotCorrected = isSameTool && nextProblem === 'wrongArguments';
		return [isNotCorrected ? 'notCorrected' : nextProblem, writtenIn(next)];
	}

	/** Asks as Local Chat Model does by default. A seed for each try, so that a test can be repeated. */
	private async ask(messages: SourceMessage[], seed: number): Promise<FinishedAnswer> {
		const { tokens, signal } = this.options;
		const leftMs = Math.max(1, Math.round(this.endsAt - performance.now()));
		const parameters = { maxTokens: tokens, seed };
		const client = testClient(this.connection, this.model, parameters, leftMs, 'toolTurns');
		if (leftMs > 1) this.used.requests++;
		const answer = await readToEnd(
			client.generate({ messages, tools: this.set.tools, signal, whole: true }),
		);
		const speed = tokensPerSecond(answer);
		if (speed !== undefined) this.speeds.push(speed);
		this.count(answer.usage);
		for (const note of answer.notes) this.notes.add(note);
		return answer;
	}

	private count(usage: Usage | undefined): void {
		if (usage === undefined) return;
		const { promptTokens = 0, generatedTokens = 0 } = this.used;
		this.used.promptTokens = promptTokens + usage.promptTokens;
		this.used.generatedTokens = generatedTokens + usage.completionTokens;
	}
}

type Outcome = [problem: ToolProblem | undefined, did: string];

function newTally(): Tally {
	return { passed: 0, tried: 0, notTried: 0, wrong: [] };
}

function count(tally: Tally, [problem, did]: Outcome): void {
	tally[problem === 'notTried' ? 'notTried' : 'tried']++;
	if (problem === undefined) return void tally.passed++;
	const known = tally.wrong.find((one) => one.problem === problem);
	if (known === undefined) tally.wrong.push({ problem, times: 1, did: did.slice(0, MAX_DID) });
	else known.times++;
}

function problemOf({ kind, facts }: ServerError): ToolProblem {
	if (kind === 'toolCallInvalid' && facts.offeredTools !== undefined) return 'wrongTool';
	const problem = OF_MODEL[kind] ?? 'notTried';
	return problem === 'noAnswer' && facts.finishReason === 'length' ? 'cut' : problem;
}

function writtenIn({ toolCalls, text }: FinishedAnswer): string {
	return toolCalls.map(({ name, arguments: args }) => `${name}(${args})`).join(' ') || text.trim();
}

/** The calls of an answer, each with the same result. */
function afterCalls(
	{ text, reasoning, toolCalls }: FinishedAnswer,
	content: string,
): SourceMessage[] {
	const calls = toolCalls.map(({ id, name, arguments: args }) => ({
		id,
		name,
		args: parseObject(args) ?? {},
	}));
	return [
		{ type: 'ai', content: text, reasoning, toolCalls: calls },
		...calls.map(
			({ id, name }): SourceMessage => ({ type: 'tool', toolCallId: id, name, content }),
		),
	];
}
