import type { Connection } from '../http/connection';
import type { EventStream } from '../http/types';
import { ServerError } from '../errors/server-error';
import { failure } from '../errors/failure';
import { parseJson } from '../values';
import type { ServerSentEvent } from '../http/sse';
import { Assembly, type AssemblyFailure, type AssemblyStep } from './assembly';
import { convertMessages, questionOf } from './messages';
import { refuseUnseenPictures, remarkOnDroppedMessages } from '../servers/ollama';
import { checkParameters } from './parameters';
import { buildRequest, type ChatCall, type ChatSettings } from './request';
import { detectServerKind, knownServerKind, learnFromHeaders } from '../servers/server-kind';
import { ThinkingPresenter } from './thinking-presenter';
import { TurnMemory } from './turn-memory';
import type { ChatAnswer, ChatMessage, ChatParameters, ChatRequest, ServerKind, Thinking, WireChunk } from './types';
import { openAiProtocol } from './wire/openai';
import type { ChatProtocol } from './wire/protocol';

export interface FinishedAnswer extends ChatAnswer {
	/** The resolved URL that answered. */
	url: string;
	serverKind: ServerKind;
	/** Milliseconds from sending to the first token, and to the end. */
	firstTokenMs: number;
	totalMs: number;
}

interface Unreadable {
	error: ServerError;
	line: string;
	/** Nothing followed it yet. */
	mayBeCut: boolean;
}

/** Models whose templates put the opening thinking tag into the prompt, by what is known of their names. */
const THINKING_MODELS = /(?:^|[^a-z])(?:r1|qwq|thinking|reasoner|reasoning|magistral)(?:[^a-z]|$)/i;

/** Some servers drop thinking that does not come to its end. */
const CUT_BEFORE_TEXT =
	'The token limit ended it before there was any text. Raise Maximum Tokens or the context of the server, or turn thinking off in the options.';

/** Seen with 0.17.4: where its runner dies, the cause is in Ollama's log only. */
const OLLAMA_FAILED =
	'Ollama ends a stream so where the process that runs the model has failed, and does not pass the cause on: its log tells it (ollama serve, journalctl -u ollama, docker logs). Most often the memory does not suffice. What had arrived is in the details.';

const JSON_FORMATS: ReadonlySet<string | undefined> = new Set(['jsonObject', 'jsonSchema']);

/** Models whose answers were seen to begin inside a thinking block, each with its server. */
const beginsThinking = new Set<string>();
const sharedMemory = new TurnMemory();

interface Adaptation {
	/** What the refusal says. */
	refused: RegExp;
	change(request: ChatRequest): Partial<ChatRequest>;
	/** For the user, where what was asked for is not what was sent. */
	note?: string;
}

const withThinking = (thinking: Thinking | undefined) => (request: ChatRequest) => ({
	parameters: { ...request.parameters, thinking },
});

/** Changes that make a server accept what it refused, each by what the refusal says. Nothing was generated then, so sending again is safe. */
const ADAPTATIONS: readonly Adaptation[] = [
	{ refused: /cannot use tools with stream/i, change: () => ({ stream: false }) },
	// Mistral's templates (contract llama-server, case 81)
	{ refused: /tool call ids? should be alphanumeric strings? with length 9/i, change: () => ({ shortToolIds: true }) },
	// FastAPI servers that forbid fields they do not know, and vLLM where Extra Body turns streaming off.
	{ refused: /stream[_ ]options/i, change: () => ({ streamUsage: false }) },
	// Ollama (seen: 0.17.4): only gpt-oss knows efforts, no model knows this one, and some do not think.
	{
		refused: /think value .* is not supported for this model/i,
		change: withThinking(undefined),
		note: 'This model of Ollama thinks or does not, so the thinking effort was left out.',
	},
	{
		refused: /invalid reasoning value: 'minimal'/i,
		change: withThinking({ mode: 'effort', effort: 'low' }),
		note: 'This Ollama does not know the thinking effort "minimal", so it was asked for "low".',
	},
	{
		refused: /does not support thinking/i,
		change: withThinking(undefined),
		note: 'This model does not think, so the thinking effort was left out.',
	},
];

/** Runs generations on one server with one set of settings. Free of LangChain and n8n: the host bridge stands on it. */
export class ChatClient {
	constructor(
		readonly connection: Connection,
		readonly settings: ChatSettings,
		private readonly protocol: ChatProtocol = openAiProtocol,
		private readonly memory: TurnMemory = sharedMemory,
	) {
		if (settings.model.trim() === '') {
			throw failure(
				'invalidInput',
				{},
				{ message: 'No model is chosen', remedy: 'Choose a model from the list or type its name.' },
			);
		}
		checkParameters(settings.parameters);
	}

	/**
	 * One generation. Yields pieces of text as they arrive and returns the checked answer.
	 *
	 * @throws {ServerError} with what had arrived in `partialText` and `partialReasoning`
	 */
	async *generate(given: ChatCall | (() => ChatCall)): AsyncGenerator<string, FinishedAnswer> {
		const startedAt = performance.now();
		const call = typeof given === 'function' ? given() : given;
		const messages = convertMessages(call.messages, {
			reasoning: this.settings.reasoningEcho,
			recall: (id, question) => this.memory.recall(id, question),
		});
		const { request, notes } = await buildRequest(
			this.settings,
			call,
			messages,
			async (matters) => await this.serverKind(matters, call.signal),
		);
		if (request.serverKind === 'ollama') await refuseUnseenPictures(this.connection, request, call.signal);
		const { reader, adapted } = await this.open(request, call.signal);
		learnFromHeaders(this.connection, reader.headers);
		const serverKind =
			request.serverKind === 'other' ? (knownServerKind(this.connection) ?? 'other') : request.serverKind;
		const assembly = new Assembly({
			openingThinkTagMayBeMissing: call.whole === true || this.mayBeginThinking(serverKind),
			prefill: prefillOf(messages),
		});
		const presenter = new ThinkingPresenter(this.showsThinking);
		let firstTokenMs = 0;
		/** An event that is no JSON: an error if anything follows, else the place where the stream was cut. */
		let unreadable: Unreadable | undefined;
		try {
			for await (const batch of reader.batches) {
				if (unreadable !== undefined) throw unreadable.error;
				const { step, ...rest } = this.readBatch(batch, assembly, reader);
				if (firstTokenMs === 0 && assembly.started) {
					firstTokenMs = performance.now() - startedAt;
					reader.firstToken();
				}
				const shown = presenter.show(step);
				if (shown !== '') yield shown;
				unreadable = rest.unreadable;
				if (unreadable?.mayBeCut === false) throw unreadable.error;
				if (assembly.complete) break;
				if (assembly.finished || unreadable !== undefined) reader.finishing();
			}
		} catch (error) {
			const isAborted = call.signal?.aborted === true;
			// Everything that counts has arrived: a missing end marker or a socket left open does not undo it.
			if (!assembly.finished || isAborted)
				throw withPartial(isAborted ? error : (unreadable?.error ?? error), assembly);
		} finally {
			reader.close();
		}
		const rest = presenter.show(assembly.flush());
		if (rest !== '') yield rest;
		const closing = presenter.end();
		if (closing !== '') yield closing;
		const result = assembly.finish([...(unreadable === undefined ? [] : [unreadable.line]), ...reader.strayLines()]);
		if (assembly.openingThinkTagMissing) beginsThinking.add(this.modelKey);
		const isOllama = request.serverKind === 'ollama' || assembly.isFromOllama;
		if ('failed' in result) throw this.explain(result.failed, reader.url, isOllama);
		if (result.answer.toolCalls.length > 0) this.memory.remember(result.answer, questionOf(messages));
		const { answer } = result;
		const dropped =
			isOllama && answer.usage !== undefined
				? await remarkOnDroppedMessages(this.connection, request, answer.usage.promptTokens, call.signal)
				: undefined;
		return {
			...answer,
			text: presenter.shown,
			notes: [
				...notes,
				...adapted,
				...this.notesOn(answer),
				...answer.notes,
				...(dropped === undefined ? [] : [dropped]),
			],
			url: reader.url,
			serverKind,
			firstTokenMs,
			totalMs: performance.now() - startedAt,
		};
	}

	/** What reads a JSON answer would stumble over the thinking in front of it. */
	private get showsThinking(): boolean {
		return this.settings.showThinking && !JSON_FORMATS.has(this.settings.parameters.responseFormat?.type);
	}

	private get modelKey(): string {
		return `${this.connection.url.api} ${this.settings.model}`;
	}

	private notesOn({ reasoning }: ChatAnswer): string[] {
		if (!this.settings.showThinking || this.showsThinking || reasoning.trim() === '') return [];
		return [
			'The thinking is not shown in front of a JSON answer, which nothing could read then. It is in the execution log.',
		];
	}

	/** llama-server splits thinking off itself, or sends the opening tag along: what it streams is not held back for a name. */
	private mayBeginThinking(serverKind: ServerKind): boolean {
		return (
			beginsThinking.has(this.modelKey) || (serverKind !== 'llamaServer' && THINKING_MODELS.test(this.settings.model))
		);
	}

	/** What a batch of events brought, up to the end of the answer or to an event that cannot be read. */
	private readBatch(
		batch: ServerSentEvent[],
		assembly: Assembly,
		reader: EventStream,
	): { step: AssemblyStep; unreadable?: Unreadable } {
		const sum: AssemblyStep = { text: '', reasoning: '' };
		for (const [index, event] of batch.entries()) {
			if (assembly.complete) break;
			const chunk = this.decode(event, reader);
			if (chunk instanceof ServerError) {
				const line = this.connection.mask(event.data.slice(0, 500));
				const mayBeCut = index === batch.length - 1 && line.startsWith('{') && parseJson(event.data) === undefined;
				return { step: sum, unreadable: { error: chunk, line, mayBeCut } };
			}
			const step = assembly.push(chunk);
			sum.text += step.text;
			sum.reasoning += step.reasoning;
		}
		return { step: sum };
	}

	private decode(event: ServerSentEvent, reader: EventStream): WireChunk | ServerError {
		try {
			return this.protocol.decode(event);
		} catch (error) {
			return failure('invalidAnswer', this.contextOf(reader.url), {
				status: reader.status,
				serverText: this.connection.mask(error instanceof Error ? error.message : event.data),
				facts: { line: this.connection.mask(event.data.slice(0, 500)) },
			});
		}
	}

	private async open(
		request: ChatRequest,
		signal: AbortSignal | undefined,
	): Promise<{ reader: EventStream; adapted: string[] }> {
		const taken = new Set<Adaptation>();
		for (let current = request; ; ) {
			const outcome = await this.tryOpen(current, signal);
			// A later one undoes what an earlier one said.
			if (!('failed' in outcome))
				return { reader: outcome, adapted: [...taken].flatMap(({ note }) => note ?? []).slice(-1) };
			const { failed } = outcome;
			const adaptation = ADAPTATIONS.find(
				(candidate) => !taken.has(candidate) && candidate.refused.test(failed.serverText ?? ''),
			);
			if (adaptation === undefined) throw failed;
			taken.add(adaptation);
			current = { ...current, ...adaptation.change(current) };
		}
	}

	private async tryOpen(
		request: ChatRequest,
		signal: AbortSignal | undefined,
	): Promise<EventStream | { failed: ServerError }> {
		try {
			return await this.connection.stream(this.protocol.url(this.connection.url), {
				json: this.protocol.body(request),
				signal,
				model: request.model,
				limits: this.settings.limits,
				retries: this.settings.retries,
			});
		} catch (error) {
			return {
				failed:
					error instanceof ServerError ? error : failure('invalidAnswer', this.contextOf(this.connection.url.api)),
			};
		}
	}

	private async serverKind(matters: boolean, signal: AbortSignal | undefined): Promise<ServerKind> {
		const { serverKind } = this.settings;
		if (serverKind !== 'auto') return serverKind;
		return knownServerKind(this.connection) ?? (matters ? await detectServerKind(this.connection, signal) : 'other');
	}

	private contextOf(url: string) {
		return this.connection.contextOf(url, this.settings.model);
	}

	private explain(failed: AssemblyFailure, url: string, isOllama: boolean): ServerError {
		const { kind, serverText, status, tool, facts, text, reasoning } = failed;
		return failure(kind, this.contextOf(url), {
			status,
			serverText,
			facts,
			partialText: text || undefined,
			partialReasoning: reasoning || undefined,
			...(kind === 'emptyAnswer' && facts?.finishReason === 'length' ? { remedy: CUT_BEFORE_TEXT } : {}),
			...(kind === 'streamEndedEarly' && isOllama ? { remedy: OLLAMA_FAILED } : {}),
			about: { tool, maxTokens: limitOf(this.settings.parameters), endedItself: facts?.finishReason === 'stop' },
		});
	}
}

/** A trailing assistant message is continued by the server, which repeats it at the beginning of the answer. */
function prefillOf(messages: readonly ChatMessage[]): string | undefined {
	const last = messages.at(-1);
	return last?.role === 'assistant' && last.toolCalls === undefined && last.content !== '' ? last.content : undefined;
}

/** The limit to name in advice; -1 is none. */
function limitOf({ maxTokens }: ChatParameters): number | undefined {
	return maxTokens !== undefined && maxTokens > 0 ? maxTokens : undefined;
}

/** The failure with everything that had arrived, what was still held back included. */
function withPartial(error: unknown, assembly: Assembly): ServerError {
	const failed =
		error instanceof ServerError
			? error
			: failure('invalidAnswer', {}, { serverText: error instanceof Error ? error.message : String(error) });
	assembly.flush();
	return failed.withPartial(assembly.partial);
}
