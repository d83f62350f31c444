/** One model that has to call tools right, on the way of a chat model in n8n. */
import { tokensPerSecond } from '../../chat/traced-answer';
import type { FinishedAnswer, SourceMessage, Usage } from '../../chat/types';
import type { FailureKind } from '../../errors/kinds';
import type { ServerError } from '../../errors/server-error';
import { readToEnd } from '../../generators';
import type { Connection } from '../../http/connection';
import { parseObject } from '../../json';
import { testClient } from '../model-test';
import { average } from '../numbers';
import type { ProbeFailure } from '../observations';
import { describeFailure } from '../probes/probe';
import { asServerError } from '../speed/measure';
import { CASES, judgeAnswer, SYSTEM_PROMPT, type ToolCase, type ToolProblem, TOOLS } from './cases';

/** Results of tries. `tried`: answers of the model, right or wrong. */
export interface Tally {
	passed: number;
	tried: number;
	notTried: number;
	/** What went wrong, with what the model did or the server said the first time. */
	wrong: Array<{ problem: ToolProblem; times: number; did: string }>;
}

/** How a model is tested. */
export interface ModelTestOptions {
	/** Tries of each case. */
	tries: number;
	/** Most tokens of one answer. */
	tokens: number;
	signal?: AbortSignal;
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

/** One model through all cases. */
export class ModelTest {
	private readonly used: Pick<ModelToolTest, 'requests' | 'promptTokens' | 'generatedTokens'> = {
		requests: 0,
	};
	private readonly speeds: number[] = [];
	private readonly notes = new Set<string>();
	private failure: ProbeFailure | null = null;

	constructor(
		private readonly connection: Connection,
		private readonly model: string,
		private readonly options: ModelTestOptions,
		private readonly endsAt: number,
	) {}

	/** `hindrance`: why nothing is sent. */
	async run(hindrance: ProbeFailure | undefined): Promise<ModelToolTest> {
		this.failure = hindrance ?? null;
		const all = newTally();
		const cases = CASES.map((one) => ({ case: one.case, ...newTally() }));
		// Every case once before any is repeated, so that a time limit leaves results of all.
		for (let seed = 1; seed <= this.options.tries; seed++)
			for (const [at, one] of CASES.entries()) {
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
		const messages: SourceMessage[] = [
			{ type: 'system', content: SYSTEM_PROMPT },
			{ type: 'human', content: question },
		];
		const answer = await this.ask(messages, seed);
		const problem = judgeAnswer(calls, answer, mayQuote);
		if (problem !== undefined || then === undefined) return [problem, writtenIn(answer)];
		const next = await this.ask([...messages, ...afterCalls(answer, then.result)], seed);
		const nextProblem = judgeAnswer(then.calls, next);
		const isSameTool = then.calls[0]?.name === calls[0]?.name;
		const isNotCorrected = isSameTool && nextProblem === 'wrongArguments';
		return [isNotCorrected ? 'notCorrected' : nextProblem, writtenIn(next)];
	}

	/** Asks as Local Chat Model does by default. A seed for each try, so that a test can be repeated. */
	private async ask(messages: SourceMessage[], seed: number): Promise<FinishedAnswer> {
		const { tokens, signal } = this.options;
		const leftMs = Math.max(1, Math.round(this.endsAt - performance.now()));
		const parameters = { maxTokens: tokens, seed };
		const client = testClient(this.connection, this.model, parameters, leftMs);
		if (leftMs > 1) this.used.requests++;
		const answer = await readToEnd(
			client.generate({ messages, tools: TOOLS, signal, whole: true }),
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
