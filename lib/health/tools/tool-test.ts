import { estimateTokens } from '../../servers/manage/tokens';
import { ServerError } from '../../errors/server-error';
import { moreContext } from '../../servers/context-facts';
import { kindOfServer } from '../answers';
import type { CheckResult, ProbeFailure } from '../observations';
import {
	advise,
	AS_WARNING,
	fromFailure,
	fromGeneration,
	withTestFindings,
	type FindingWithStatus,
} from '../findings/finding';
import type { Target } from '../probes/observe';
import {
	canGenerate,
	factsOfModel,
	modelToTest,
	type SpeedTestOptions,
	withoutModel,
} from '../speed/speed-test';
import { CASES, PROBLEMS, SYSTEM_PROMPT, TOOLS } from './cases';
import { ModelTest, type ModelTestOptions, type ModelToolTest } from './model-tool-test';

export interface ToolTestOptions extends ModelTestOptions, Pick<SpeedTestOptions, 'model'> {
	/** `all`: every chat model of the server that runs on it. */
	models: 'one' | 'all';
	/** For the whole test, in milliseconds. */
	limitMs: number;
	/** Only tells the cost; nothing is sent. */
	costOnly?: boolean;
	/** Part of a report: an unclear model is a finding, not an error. */
	isPart?: boolean;
}

/** Null where the check found that a chat cannot work. No models: only the cost was computed. */
export type WithToolTest<R> = R & {
	toolTest: { cost: ToolTestCost; models: ModelToolTest[] } | null;
};

/** Tokens of a question, and what a template adds. */
const AROUND_TOOLS = 100;

/**
 * Adds to what a check found out whether models call tools right: fixed cases, each several times, on the way
 * of a chat model in n8n.
 *
 * @throws {ServerError} of kind `aborted`, or `invalidInput` where it is not clear which model is meant
 */
export async function withToolTest<R extends CheckResult>(
	target: Target,
	health: R,
	options: ToolTestOptions,
): Promise<WithToolTest<R>> {
	if (!canGenerate(health)) return { ...health, toolTest: null };
	const endsAt = performance.now() + options.limitMs;
	const names = modelsOf(health, options);
	if (names instanceof ServerError) {
		if (options.isPart !== true) throw names;
		return { ...withoutModel(health, names), toolTest: null };
	}
	const promptTokens = promptTokensEstimated();
	const cost = costOf(names, promptTokens, options);
	const models: ModelToolTest[] = [];
	if (options.costOnly !== true)
		for (const model of names) {
			const test = new ModelTest(target.connect({}), model, options, endsAt);
			models.push(await test.run(smallContext(health, model, promptTokens, options)));
		}
	const verdict = withTestFindings(health, testFindings(models));
	const toolTest = { cost, models };
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

function modelsOf(health: CheckResult, { models, model }: ToolTestOptions): string[] | ServerError {
	const known = health.models ?? [];
	// What runs elsewhere may cost money there, and is tested by its name only.
	if (models === 'all')
		return known
			.filter(({ embeddings, remoteHost }) => embeddings !== true && remoteHost === null)
			.map(({ id }) => id);
	const name = model.trim();
	if (name !== '') return [name];
	const only = modelToTest(known, health.server.kind);
	return typeof only === 'string' ? [only] : only;
}

function promptTokensEstimated(): number {
	return estimateTokens(SYSTEM_PROMPT + JSON.stringify(TOOLS)) + AROUND_TOOLS;
}

/**
 * Why no prompt of the test fits into the context of a model, as far as the server tells its size.
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
		message: `One request can use ${context} tokens of context, but a prompt of this test takes about ${needed}: with the answer, ${contextSize} are needed`,
		remedy: moreContext(kindOfServer(health.server.kind).words, facts),
	};
}

/** The most that a test takes, known before its first request. The tokens of prompts are estimated. */
function costOf(
	models: string[],
	promptTokens: number,
	{ tries, tokens, limitMs }: ToolTestOptions,
) {
	const requestsOfTry = CASES.reduce((all, { then }) => all + (then === undefined ? 1 : 2), 0);
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
