import type { ChatClient } from '../../chat/client';
import { ServerError } from '../../errors/server-error';
import { readToEnd } from '../../generators';
import type { Connection } from '../../http/connection';
import { mapConcurrently } from '../../servers/batches';
import { shortened } from '../../values';
import {
	advise,
	AS_WARNING,
	fromGeneration,
	withTestFindings,
	type FindingWithStatus,
} from '../findings/finding';
import { testClient, testServers } from '../model-test';
import type { CheckResult, ProbeFailure } from '../observations';
import type { Target } from '../probes/observe';
import { describeFailure } from '../probes/probe';
import { asServerError } from '../speed/measure';
import { modelToTest, type SpeedTestOptions } from '../speed/speed-test';
import { type Conversation, newConversation, wordsHeld } from './conversations';

export interface IsolationTestOptions extends Pick<SpeedTestOptions, 'model' | 'signal'> {
	/** Each has two turns, so two answers. */
	conversations: number;
	/** Requests at once. */
	atOnce: number;
	/** Most tokens of one answer. */
	tokens: number;
	/** For the whole test, in milliseconds. */
	limitMs: number;
}

/** What a test found. An answer without a code word says nothing. */
interface IsolationResult {
	model: string;
	conversations: number;
	/** Answers, those that held the code word of their own conversation, and those that held another's. */
	answers: number;
	withOwnWord: number;
	withForeignWord: number;
	/** The first answers with a foreign word. */
	examples: Array<{ expected: string; foreign: string[]; answer: string }>;
	/** Requests without an answer, and why the first one failed. */
	failed: number;
	failure: ProbeFailure | null;
}

/** Null where the check found that a chat cannot work. */
type WithIsolationTest<R> = R & { isolationTest: IsolationResult | null };

/** Twice as many conversations as there are requests at once: their second turns find their slots taken by others. */
const GROUP = 2;
const MAX_EXAMPLES = 5;
const MAX_ANSWER = 300;

/**
 * Adds to what a check found out whether conversations that run at the same time stay apart: each has a code word of
 * its own, and an answer with the word of another is proof that they do not.
 *
 * @throws {ServerError} of kind `aborted`, or `invalidInput` where it is not clear which model is meant
 */
export async function withIsolationTest<R extends CheckResult>(
	target: Target,
	health: R,
	options: IsolationTestOptions,
): Promise<WithIsolationTest<R>> {
	const endsAt = performance.now() + options.limitMs;
	return await testServers<R, WithIsolationTest<object>>(
		target,
		health,
		{ isolationTest: null },
		async (server, result) => await testServer(server, result, options, endsAt),
	);
}

async function testServer<R extends CheckResult>(
	target: Target,
	health: R,
	options: IsolationTestOptions,
	endsAt: number,
): Promise<WithIsolationTest<R>> {
	const chosen = options.model.trim();
	const model = chosen === '' ? modelToTest(health.models ?? [], health.server.kind) : chosen;
	if (model instanceof ServerError) throw model;
	const test = new IsolationTest(target.connect({}), model, options, endsAt);
	const isolationTest = await test.run();
	const verdict = withTestFindings(health, findingsOf(isolationTest));
	const summary = `${health.summary} ${resultInWords(isolationTest)}`;
	return { ...health, ...verdict, summary, isolationTest };
}

function resultInWords({ conversations, answers, withOwnWord, withForeignWord }: IsolationResult) {
	return `${conversations} conversations, ${answers} answers: ${withOwnWord} with their own code word, ${withForeignWord} with the code word of another conversation.`;
}

function findingsOf(result: IsolationResult): FindingWithStatus[] {
	const { answers, withOwnWord, withForeignWord, examples, failure } = result;
	const observed = resultInWords(result);
	const failures = failure === null ? [] : [fromGeneration(failure)];
	if (withForeignWord > 0) {
		const { expected, answer } = examples[0]!;
		const example = `The first one: ${expected} was expected, and the answer was "${answer}"`;
		return [advise('foreignContent', `${observed} ${example}`), ...failures];
	}
	if (answers === 0) return failures;
	const failed = failures.map((one) => ({ ...one, ...AS_WARNING }));
	const id = withOwnWord * 2 < answers ? 'isolationUnclear' : 'isolationTested';
	return [...failed, advise(id, observed)];
}

/** One model through all conversations. */
class IsolationTest {
	private readonly client: ChatClient;
	private readonly result: IsolationResult;
	private readonly codeWords = new Set<string>();

	constructor(
		connection: Connection,
		model: string,
		private readonly options: IsolationTestOptions,
		private readonly endsAt: number,
	) {
		const { limitMs, tokens } = options;
		const parameters = { maxTokens: tokens, temperature: 0, thinking: { mode: 'off' } } as const;
		this.client = testClient(connection, model, parameters, limitMs);
		this.result = {
			model,
			conversations: 0,
			answers: 0,
			withOwnWord: 0,
			withForeignWord: 0,
			examples: [],
			failed: 0,
			failure: null,
		};
	}

	async run(): Promise<IsolationResult> {
		const { conversations, atOnce } = this.options;
		while (this.result.conversations < conversations && !this.mustEnd) {
			const left = conversations - this.result.conversations;
			const size = Math.min(GROUP * atOnce, left);
			await this.runGroup(Array.from({ length: size }, newConversation));
		}
		return this.result;
	}

	private get mustEnd(): boolean {
		const { answers, failed } = this.result;
		const onlyFails = answers === 0 && failed > 0;
		return onlyFails || performance.now() >= this.endsAt;
	}

	/** The first turn of each, then the second of each. */
	private async runGroup(group: readonly Conversation[]): Promise<void> {
		const { atOnce, signal } = this.options;
		this.result.conversations += group.length;
		for (const { codeWord } of group) this.codeWords.add(codeWord);
		for (const turn of [0, 1] as const)
			await mapConcurrently(group, atOnce, signal, async (conversation, ended) => {
				if (!this.mustEnd) await this.ask(conversation, turn, ended);
			});
	}

	/** @throws {ServerError} of kind `aborted` */
	private async ask(
		{ codeWord, turns }: Conversation,
		turn: 0 | 1,
		signal: AbortSignal | undefined,
	): Promise<void> {
		try {
			const answer = await readToEnd(
				this.client.generate({ messages: turns[turn], signal, whole: true }),
			);
			this.judge(codeWord, answer.reasoning + answer.text);
		} catch (error) {
			const failed = asServerError(error);
			if (failed.kind === 'aborted') throw failed;
			const { partialReasoning = '', partialText = '' } = failed;
			if (partialReasoning + partialText !== '')
				return this.judge(codeWord, partialReasoning + partialText);
			this.result.failed++;
			this.result.failure ??= describeFailure(failed);
		}
	}

	private judge(codeWord: string, answer: string): void {
		const { own, foreign } = wordsHeld(answer, codeWord, this.codeWords);
		this.result.answers++;
		if (own) this.result.withOwnWord++;
		if (foreign.length === 0) return;
		this.result.withForeignWord++;
		if (this.result.examples.length >= MAX_EXAMPLES) return;
		this.result.examples.push({
			expected: codeWord,
			foreign,
			answer: shortened(answer.trim(), MAX_ANSWER),
		});
	}
}
