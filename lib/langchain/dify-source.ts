import type { FinishedAnswer } from '../chat/types';
import { convertMessages } from '../chat/request/messages';
import type { ChatCall } from '../chat/request/request';
import { chat } from '../dify/run/chat';
import type { DifyClient } from '../dify/client';
import { deleteConversation } from '../dify/app/conversations';
import { difyFailure, localError, resultOf } from '../dify/errors/failure';
import type { DifyFileRef } from '../dify/files/files';
import { readForm } from '../dify/forms/input-form';
import { RUN_ROUTES, startRun, type RunOptions } from '../dify/run/run';
import type { RunLimits } from '../dify/run/limits';
import type { DifyAppMode, RunResult, TextDelta } from '../dify/types';
import { ServerError } from '../errors/server-error';
import { nonEmptyText, type JsonRecord, messageOf } from '../values';
import { answerOf, emptyError, logOf, pausedError, usageOf } from './dify-answer';
import { sendFiles } from './dify-files';
import { difyPrompt, type DifyMemory, type DifyPrompt } from './dify-prompt';
import { TextQueue } from './pieces';
import { cutAt, StopTexts } from './stop-texts';

export interface DifyModelSettings {
	user: string;
	memory: DifyMemory;
	/** Variables of the app, the same in every call. */
	inputs: JsonRecord;
	/** The variable that takes the system message. Empty: it is put in front of the question. */
	systemVariable: string;
	/** For text generators and workflows: the variable that takes the prompt. Empty: the only text variable. */
	promptVariable: string;
	/** For workflows: the output that is the answer. Empty: the only text output. */
	outputField: string;
	/** Whether an empty answer is allowed. */
	emptyAnswers: boolean;
	/** Whether the conversation is deleted in Dify after each call. */
	deleteConversations: boolean;
	limits: Partial<RunLimits>;
	retries: number;
}

/**
 * The error for a call with tools. Raised when the model is called, not when tools are bound: n8n's agent binds them to
 * all of its models before it calls the first one, and only a failed call makes it try the next model.
 */
function noTools(): ServerError {
	return localError(
		'inputs',
		'A Dify app cannot be given tools',
		'It brings its own: connect them in Dify. Or choose Local Chat Model for the agent, and give it this app as a tool (Dify Chat Message). The output parser of an agent counts as a tool as well.',
	);
}

const ROUTES: Record<DifyAppMode, keyof typeof RUN_ROUTES> = {
	chat: 'chat',
	'agent-chat': 'chat',
	agent: 'chat',
	'advanced-chat': 'chat',
	completion: 'completion',
	workflow: 'workflow',
};

/** A Dify app as the source of a chat model's answers. */
export class DifySource {
	private known: Promise<{ mode: DifyAppMode; parameters: JsonRecord }> | undefined;

	constructor(
		private readonly client: DifyClient,
		readonly settings: DifyModelSettings,
	) {}

	/**
	 * One answer. Yields pieces of text as they arrive. If Dify replaces its answer (moderation), the text in the chat
	 * cannot be taken back: nothing more is yielded then, and a note tells the user.
	 *
	 * @throws {ServerError} with the text that had arrived
	 */
	async *generate(given: ChatCall | (() => ChatCall)): AsyncGenerator<string, FinishedAnswer> {
		const startedAt = performance.now();
		const call = typeof given === 'function' ? given() : given;
		if ((call.tools ?? []).length > 0) throw noTools();
		const { memory, systemVariable } = this.settings;
		const prompt = difyPrompt(convertMessages(call.messages, { reasoning: 'off' }), {
			memory,
			systemApart: systemVariable !== '',
		});
		const client = this.client.withSignal(call.signal);
		const { mode, parameters } = await this.app(client);
		const inputs = this.inputsFor(mode, prompt, parameters);
		const files = await sendFiles(client, this.settings.user, prompt.files, parameters);
		const stops = new StopTexts(call.stop);
		const left = new AbortController();
		const signal =
			call.signal === undefined ? left.signal : AbortSignal.any([call.signal, left.signal]);
		const queue = new TextQueue<RunResult>();
		let shown = '';
		let firstTokenMs = 0;
		let isTakenBack = false;
		const onDeltas = async (deltas: readonly TextDelta[]) => {
			for (const delta of deltas) {
				firstTokenMs ||= performance.now() - startedAt;
				isTakenBack ||= delta.type === 'replace' && shown !== '';
				// The text that a workflow streams is not always its answer, which is one of its outputs.
				const piece = isTakenBack || mode === 'workflow' ? '' : stops.push(delta.text);
				shown += piece;
				queue.push(piece);
				if (stops.stopped) left.abort();
			}
			await Promise.resolve();
		};
		const options = { limits: this.settings.limits, retries: this.settings.retries, onDeltas };
		const run = this.run(
			this.client.withSignal(signal),
			mode,
			prompt.query,
			inputs,
			files,
			options,
		);
		queue.endWith(run.catch((error: unknown) => stoppedResult(error, stops.stopped)));
		let result: RunResult;
		try {
			result = yield* queue.pieces();
		} finally {
			// A consumer that stops early cancels the run.
			left.abort();
		}
		if (result.status === 'paused') throw pausedError(result);
		const streamed = shown + stops.end();
		const text =
			isTakenBack || streamed === ''
				? cutAt(answerOf(mode, result, this.settings.outputField), call.stop)
				: streamed;
		if (!isTakenBack && text.length > shown.length) yield text.slice(shown.length);
		if (text.trim() === '' && !this.settings.emptyAnswers && !stops.stopped)
			throw emptyError(result);
		const notes = [...result.warnings];
		if (isTakenBack)
			notes.push(
				'Dify took back what it had said (moderation, or a rule of the app). The chat still shows the beginning.',
			);
		if (prompt.system !== '' && systemVariable === '')
			notes.push(
				'The system message was not sent: Dify remembers the conversation, and takes one message of the user. Choose a System Variable, or set the prompt in Dify.',
			);
		await this.cleanUp(result, notes);
		return {
			text,
			reasoning: result.reasoning,
			toolCalls: [],
			finishReason: 'stop',
			usage: usageOf(result),
			notes,
			url: this.client.url(RUN_ROUTES[ROUTES[mode]].start),
			serverKind: 'other',
			firstTokenMs,
			totalMs: performance.now() - startedAt,
			log: logOf(result, mode),
		};
	}

	private async run(
		client: DifyClient,
		mode: DifyAppMode,
		query: string,
		inputs: JsonRecord,
		files: DifyFileRef[],
		options: RunOptions,
	): Promise<RunResult> {
		const { user, memory } = this.settings;
		const route = ROUTES[mode];
		if (route === 'chat') {
			const conversation =
				memory === 'dify' ? ({ kind: 'latest' } as const) : ({ kind: 'new' } as const);
			const request = {
				query,
				user,
				inputs,
				files,
				conversation,
				autoGenerateName: memory === 'dify',
			};
			const answer = await chat(client, request, { ...options, onStaleConversation: 'startNew' });
			return answer.result;
		}
		const body = { inputs, ...(files.length === 0 ? {} : { files }) };
		return await startRun(client, RUN_ROUTES[route], body, user, options);
	}

	/** Type and parameters of the app, fetched once. */
	private async app(client: DifyClient): Promise<{ mode: DifyAppMode; parameters: JsonRecord }> {
		this.known ??= (async () => {
			const [info, parameters] = await Promise.all([
				client.get('/info'),
				client.get('/parameters'),
			]);
			const mode = nonEmptyText(info.mode) ?? 'chat';
			return { mode: mode in ROUTES ? (mode as DifyAppMode) : 'chat', parameters };
		})();
		// A failure is not kept: the next call tries again.
		this.known.catch(() => (this.known = undefined));
		return await this.known;
	}

	/** The inputs of the run. Unknown variables are an error here: Dify would silently drop them. */
	private inputsFor(mode: DifyAppMode, prompt: DifyPrompt, parameters: JsonRecord): JsonRecord {
		const { inputs, systemVariable, promptVariable } = this.settings;
		const form = readForm(parameters);
		const names = form.map(({ variable }) => variable);
		const declared = (name: string, label: string) => {
			if (names.includes(name)) return name;
			throw localError(
				'inputs',
				`The app has no variable "${name}"`,
				`Correct ${label} in the node, or add the variable in Dify and publish the app. It has: ${names.join(', ') || 'none'}.`,
			);
		};
		const all: JsonRecord = { ...inputs };
		for (const name of Object.keys(inputs)) declared(name, 'Inputs');
		if (systemVariable !== '') all[declared(systemVariable, 'System Variable')] = prompt.system;
		if (ROUTES[mode] === 'chat') return all;
		const texts = form
			.filter(
				({ kind, variable }) => ['text-input', 'paragraph'].includes(kind) && !(variable in all),
			)
			.map(({ variable }) => variable);
		if (promptVariable === '' && texts.length !== 1)
			throw localError(
				'inputs',
				`The app is a ${mode === 'workflow' ? 'workflow' : 'text generator'}: it is not clear which of its variables takes the prompt`,
				`Choose it in the option Prompt Variable. Text variables of the app: ${texts.join(', ') || 'none'}.`,
			);
		all[promptVariable === '' ? texts[0]! : declared(promptVariable, 'Prompt Variable')] =
			prompt.query;
		return all;
	}

	private async cleanUp({ conversationId }: RunResult, notes: string[]): Promise<void> {
		const { memory, deleteConversations, user } = this.settings;
		if (memory !== 'n8n' || !deleteConversations || conversationId === undefined) return;
		await deleteConversation(this.client, user, conversationId).catch((error: unknown) => {
			notes.push(`The conversation could not be deleted in Dify: ${messageOf(error)}`);
		});
	}
}

/** The partial result is the answer if a stop text ended the run; otherwise the failure is thrown. */
function stoppedResult(failed: unknown, stopped: boolean): RunResult {
	const result = resultOf(failed);
	if (stopped && result !== undefined) return result;
	throw failed instanceof ServerError
		? failed
		: difyFailure('runFailed', { message: String(failed) });
}
