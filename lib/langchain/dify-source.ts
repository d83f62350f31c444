import type { FinishedAnswer } from '../chat/types';
import { convertMessages } from '../chat/request/messages';
import type { ChatCall } from '../chat/request/request';
import { chat } from '../dify/run/chat';
import type { DifyClient } from '../dify/client';
import { deleteConversation } from '../dify/app/conversations';
import { difyFailure, localError, partialResultOf } from '../dify/errors/failure';
import type { DifyFileRef } from '../dify/files/files';
import { readForm } from '../dify/forms/input-form';
import { RUN_ROUTES, startRun, type RunOptions } from '../dify/run/run';
import type { RunLimits } from '../dify/run/limits';
import { runWorkflow } from '../dify/run/workflow';
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
	async *generate(call: ChatCall): AsyncGenerator<string, FinishedAnswer> {
		const startedAt = performance.now();
		if ((call.tools ?? []).length > 0) throw noTools();
		const request = await this.requestFor(call);
		const { mode } = request;
		const stopped = new AbortController();
		const signal =
			call.signal === undefined ? stopped.signal : AbortSignal.any([call.signal, stopped.signal]);
		const typed = new TypedAnswer(mode, call.stop, startedAt, () => stopped.abort());
		const { limits, retries } = this.settings;
		const options = { limits, retries, onDeltas: typed.take };
		const run = this.run(this.client.withSignal(signal), request, options);
		typed.endWith(run);
		let result: RunResult;
		try {
			result = yield* typed.pieces();
		} finally {
			// A consumer that stops early cancels the run.
			stopped.abort();
		}
		if (result.status === 'paused') throw pausedError(result);
		const text = typed.wholeText(answerOf(mode, result, this.settings.outputField));
		if (!typed.isTakenBack && text.length > typed.shown.length)
			yield text.slice(typed.shown.length);
		if (text.trim() === '' && !this.settings.emptyAnswers && !typed.isStopped)
			throw emptyError(result);
		const notes = this.notesOn(result, request.prompt, typed.isTakenBack);
		await this.cleanUp(result, notes);
		return {
			text,
			reasoning: result.reasoning,
			toolCalls: [],
			finishReason: 'stop',
			usage: usageOf(result),
			notes,
			url: this.client.url(RUN_ROUTES[ROUTES[mode]].start),
			firstTokenMs: typed.firstTokenMs,
			totalMs: performance.now() - startedAt,
			log: logOf(result, mode),
		};
	}

	private async requestFor(call: ChatCall): Promise<AppRequest> {
		const { memory, systemVariable, user } = this.settings;
		const prompt = difyPrompt(convertMessages(call.messages, { reasoning: 'off' }), {
			memory,
			systemApart: systemVariable !== '',
		});
		const client = this.client.withSignal(call.signal);
		const { mode, parameters } = await this.app(client);
		const inputs = this.inputsFor(mode, prompt, parameters);
		const files = await sendFiles(client, user, prompt.files, parameters);
		return { mode, prompt, inputs, files };
	}

	private notesOn({ warnings }: RunResult, { system }: DifyPrompt, isTakenBack: boolean): string[] {
		const notes = [...warnings];
		if (isTakenBack)
			notes.push(
				'Dify took back what it had said (moderation, or a rule of the app). The chat still shows the beginning.',
			);
		if (system !== '' && this.settings.systemVariable === '')
			notes.push(
				'The system message was not sent: Dify remembers the conversation, and takes one message of the user. Choose a System Variable, or set the prompt in Dify.',
			);
		return notes;
	}

	private async run(
		client: DifyClient,
		{ mode, prompt, inputs, files }: AppRequest,
		options: RunOptions,
	): Promise<RunResult> {
		const { user, memory } = this.settings;
		if (mode === 'workflow') return await runWorkflow(client, { inputs, user, files }, options);
		if (mode === 'completion') {
			const body = { inputs, ...(files.length === 0 ? {} : { files }) };
			return await startRun(client, RUN_ROUTES.completion, body, user, options);
		}
		const conversation =
			memory === 'dify' ? ({ kind: 'latest' } as const) : ({ kind: 'new' } as const);
		const request = {
			query: prompt.query,
			user,
			inputs,
			files,
			conversation,
			autoGenerateName: memory === 'dify',
		};
		const answer = await chat(client, request, { ...options, onStaleConversation: 'startNew' });
		return answer.result;
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

/** What is sent to the app. */
interface AppRequest {
	mode: DifyAppMode;
	prompt: DifyPrompt;
	inputs: JsonRecord;
	files: DifyFileRef[];
}

/** The answer as it is typed into the chat, which cannot take text back. */
class TypedAnswer {
	shown = '';
	firstTokenMs = 0;
	/** Dify replaced what it had said. */
	isTakenBack = false;
	private readonly queue = new TextQueue<RunResult>();
	private readonly stops: StopTexts;

	/** @param onStop called when a stop text came */
	constructor(
		private readonly mode: DifyAppMode,
		private readonly stopTexts: ChatCall['stop'],
		private readonly startedAt: number,
		private readonly onStop: () => void,
	) {
		this.stops = new StopTexts(stopTexts);
	}

	get isStopped(): boolean {
		return this.stops.stopped;
	}

	readonly take = async (deltas: readonly TextDelta[]): Promise<void> => {
		for (const delta of deltas) {
			this.firstTokenMs ||= performance.now() - this.startedAt;
			this.isTakenBack ||= delta.type === 'replace' && this.shown !== '';
			// The text that a workflow streams is not always its answer, which is one of its outputs.
			const isShown = !this.isTakenBack && this.mode !== 'workflow';
			const piece = isShown ? this.stops.push(delta.text) : '';
			this.shown += piece;
			this.queue.push(piece);
			if (this.stops.stopped) this.onStop();
		}
		await Promise.resolve();
	};

	endWith(run: Promise<RunResult>): void {
		this.queue.endWith(run.catch((error: unknown) => stoppedResult(error, this.isStopped)));
	}

	pieces(): ReturnType<TextQueue<RunResult>['pieces']> {
		return this.queue.pieces();
	}

	/** The whole text. @param answer the one of the result, which counts where none was typed, or another one */
	wholeText(answer: string): string {
		const streamed = this.shown + this.stops.end();
		return this.isTakenBack || streamed === '' ? cutAt(answer, this.stopTexts) : streamed;
	}
}

/** The partial result is the answer if a stop text ended the run; otherwise the failure is thrown. */
function stoppedResult(failed: unknown, stopped: boolean): RunResult {
	const result = partialResultOf(failed);
	if (stopped && result !== undefined) return result;
	throw failed instanceof ServerError
		? failed
		: difyFailure('runFailed', { message: String(failed) });
}
