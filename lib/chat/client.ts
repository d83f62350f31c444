import type { Connection } from '../http/connection';
import type { EventStream } from '../http/types';
import { answerFailure, foreignLines, foreignText, withPartialAnswer } from './answer/failure';
import { Assembly } from './answer/assembly';
import { remarkOnContextSize } from './answer/context-sizes';
import { completed, isSaid, notesOnCallsInText, notesOnForcedCall } from './answer/remarks';
import { LoadingChatter } from './answer/loading-chatter';
import { fitToLlamaServer } from './request/llama-options';
import { convertMessages } from './request/messages';
import { withModelsOf } from './missing-model';
import { checkParameters } from './request/parameters';
import { remarkOnPromptCache } from './answer/prompt-cache';
import { readBatch, type Unreadable } from './answer/read-batch';
import {
	callableTools,
	type ChatCall,
	type ChatSettings,
	draftRequest,
	hasPicture,
	type RequestDraft,
	textLength,
} from './request/request';
import { ReadingPace } from './answer/reading-pace';
import { sendRequest } from './send';
import { conversationKey } from './request/conversation-key';
import { type Attempt, ServerPool } from '../servers/pool/server-pool';
import { askServerKind, knownServerKind, learnFromHeaders } from '../servers/identify';
import { traitsOf } from '../servers/kinds';
import type { ServerKind } from '../servers/kinds/kind';
import { noteOnMove, type PassedOver } from '../servers/pool/moves';
import { requireModel } from '../servers/model-names';
import { retryOptions, retryUntilReady } from '../servers/retry';
import { ThinkingHabits } from './answer/thinking-habits';
import { ThinkingPresenter } from './answer/thinking-presenter';
import { TurnMemory } from './answer/turn-memory';
import type { ChatAnswer, ChatMessage, ChatRequest } from './types';
import { protocolFor } from './wire/choose';
import { contextSizeOf } from './wire/ollama-options';
import type { ChatProtocol } from './wire/protocol';
import { sameFrameDecoder } from './wire/same-frame';

export interface FinishedAnswer extends ChatAnswer {
	/** The resolved URL that answered. */
	url: string;
	/** Which of several servers answered, under which name it has the model, and which ones did not. */
	server?: { url: string; model: string; passedOver: PassedOver[] };
	serverKind: ServerKind;
	/** Milliseconds from sending to the first token, and to the end. */
	firstTokenMs: number;
	totalMs: number;
	/** What else the execution log shows. */
	log?: Record<string, unknown>;
}

/** What gives the answers of a chat model. */
export interface AnswerSource {
	/** Whether `pieceMs` of a call is kept: otherwise its pieces come as they come. */
	readonly keepsPace?: boolean;
	/** As `ChatClient.generate`. */
	generate(given: ChatCall | (() => ChatCall)): AsyncGenerator<string, FinishedAnswer>;
}

/** A model on a server. */
type Place = Pick<Attempt, 'connection' | 'model'>;

/** A request whose answer begins, and the protocol that the answer follows. */
interface Sent {
	reader: EventStream;
	protocol: ChatProtocol;
	request: ChatRequest;
	notes: string[];
}

const ENDED_WITHOUT_MARKER =
	'The server said that the answer was finished, but did not end the stream. If something is missing at the end of the answer, this is why.';

const JSON_FORMATS: ReadonlySet<string | undefined> = new Set(['jsonObject', 'jsonSchema']);

const thinkingHabits = new ThinkingHabits();
const sharedMemory = new TurnMemory();

/** Runs generations on one server with one set of settings. Free of LangChain and n8n: the host bridge stands on it. */
export class ChatClient implements AnswerSource {
	readonly keepsPace = true;
	private readonly servers: ServerPool;

	constructor(
		servers: Connection | ServerPool,
		readonly settings: ChatSettings,
		/** Default: whichever the server has that can do what is asked for. */
		private readonly protocol?: ChatProtocol,
		private readonly memory: TurnMemory = sharedMemory,
	) {
		this.servers = ServerPool.of(servers);
		requireModel(settings.model);
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
			recall: (id) => this.memory.recall(id),
		});
		const draft = draftRequest(this.settings, call, messages);
		const pace = new ReadingPace(call, this.settings.limits);
		const send = async (attempt: Attempt) => await this.send({ ...attempt, pace }, draft, messages, call.signal);
		const served = await this.servers.open(send, {
			model: this.settings.model.trim(),
			...(this.servers.hasSeveral
				? { conversation: conversationKey(this.settings.model.trim(), messages, call.tools) }
				: {}),
			limits: this.settings.limits,
			retry: (connection) => this.retryAt(connection),
			signal: call.signal,
		});
		const { connection, model, passedOver } = served;
		const { reader, protocol, request, notes } = served.value;
		const { settings } = this;
		const chatter = new LoadingChatter();
		const decode = sameFrameDecoder(protocol.decode);
		const reading = { connection, decode, reader, model, chatter, onChunk: call.onChunk };
		const place: Place = { connection, model };
		learnFromHeaders(connection, reader.headers, model);
		const serverKind =
			request.serverKind === 'other' ? (knownServerKind(connection, model) ?? 'other') : request.serverKind;
		const assembly = new Assembly({
			openingThinkTagMayBeMissing: thinkingHabits.mayLeaveOpeningTagOut(keyOf(place), {
				model,
				isSplitByServer: traitsOf(serverKind).splitsThinking,
				whole: call.whole === true,
			}),
			thinkingIsOff: settings.parameters.thinking?.mode === 'off',
			prefill: prefillOf(messages),
			toolsInText: this.settings.toolCallsInText === 'leave' ? [] : callableTools(request),
		});
		const presenter = new ThinkingPresenter(this.showsThinking);
		let firstTokenMs = 0;
		/** An event that is no JSON: an error if anything follows, else the place where the stream was cut. */
		let unreadable: Unreadable | undefined;
		try {
			for await (const batch of reader.batches) {
				if (unreadable !== undefined) throw unreadable.error;
				const { step, ...rest } = readBatch(batch, assembly, reading);
				if (firstTokenMs === 0 && assembly.started) firstTokenMs = performance.now() - startedAt;
				const shown = presenter.show(step);
				pace.note({ started: assembly.speaks, shown: presenter.shown !== '', finished: assembly.finished });
				if (shown !== '') yield shown;
				unreadable = rest.unreadable;
				if (unreadable?.mayBeCut === false) throw unreadable.error;
				if (assembly.complete) break;
				if (assembly.finished || unreadable !== undefined) reader.finishing();
			}
		} catch (error) {
			const isAborted = call.signal?.aborted === true;
			// Everything that was announced has arrived: a missing end marker or a socket left open does not undo it.
			if (!assembly.finished || isAborted)
				throw withPartialAnswer(isAborted ? error : (unreadable?.error ?? error), assembly);
			if (!assembly.countsCameLast) notes.push(ENDED_WITHOUT_MARKER);
		} finally {
			reader.close();
			served.release();
		}
		const rest = presenter.show(assembly.flush());
		if (rest !== '') yield rest;
		const closing = presenter.end();
		if (closing !== '') yield closing;
		if (assembly.endedUnsaid && reader.strayLines().length === 0) {
			const kind = await this.serverKind(place, true, call.signal);
			// A home-made server: every known one says why it stopped.
			if (kind === 'other') assembly.acceptUnsaidEnd();
		}
		const result = assembly.finish([...(unreadable === undefined ? [] : [unreadable.line]), ...reader.strayLines()]);
		// Ollama's answers tell where they come from, whatever gateway passed them on.
		const maker = traitsOf(assembly.isFromOllama ? 'ollama' : request.serverKind);
		const contextSize = contextSizeOf(request.parameters);
		const fitted = (promptTokens: number) => ({
			model,
			characters: textLength(messages),
			promptTokens,
			...(contextSize === undefined ? {} : { contextSize }),
		});
		if ('failed' in result) {
			const context = connection.contextOf(reader.url, { model });
			const { kind, usage } = result.failed;
			throw (
				foreignLines(result.failed, protocol.framing, reader.framing(), context) ??
				foreignText(result.failed, reader.headers['content-type'], context) ??
				(kind === 'emptyAnswer' && usage !== undefined
					? await maker.explainEmptyAnswer?.(connection, fitted(usage.promptTokens), call.signal)
					: undefined) ??
				answerFailure(result.failed, context, settings.parameters, maker.cutStreamRemedy)
			);
		}
		this.memory.remember(result.answer);
		thinkingHabits.learnFrom(keyOf(place), assembly.thinkingSeen, result.answer);
		const answer = completed(result.answer, messages, chatter.loadMs);
		const dropped =
			answer.usage === undefined
				? undefined
				: await maker.remarkOnDroppedMessages?.(connection, fitted(answer.usage.promptTokens), call.signal);
		const resized = assembly.isFromOllama
			? remarkOnContextSize(keyOf(place), { size: contextSize, loadMs: answer.timings?.load_ms })
			: undefined;
		const moved = noteOnMove(passedOver, connection.url.root);
		return {
			...answer,
			text: presenter.shown,
			notes: [
				...notes,
				...[moved].filter(isSaid),
				...notesOnForcedCall(request, answer),
				...notesOnCallsInText(assembly.markupInText, serverKind),
				...this.notesOn(answer),
				...answer.notes,
				...[dropped, resized, remarkOnPromptCache(request, answer)].filter(isSaid),
			],
			url: reader.url,
			...(this.servers.hasSeveral ? { server: { url: connection.url.root, model, passedOver } } : {}),
			serverKind,
			firstTokenMs,
			totalMs: performance.now() - startedAt,
		};
	}

	/** A chain that parses a JSON answer cannot read it with thinking in front. */
	private get showsThinking(): boolean {
		return this.settings.showThinking && !JSON_FORMATS.has(this.settings.parameters.responseFormat?.type);
	}

	private retryAt(connection: Connection) {
		return retryUntilReady(connection, retryOptions(this.settings));
	}

	/** The request at one server, up to the beginning of its answer. */
	private async send(
		attempt: Attempt & { pace: ReadingPace },
		draft: RequestDraft,
		messages: readonly ChatMessage[],
		signal: AbortSignal | undefined,
	): Promise<Sent> {
		const { connection, model } = attempt;
		const kind = await this.serverKind(attempt, draft.dependsOnServer, signal);
		const drafted = draft.forServer(kind);
		const { request, notes: unfit } = await fitToLlamaServer(connection, { ...drafted.request, model });
		if (messages.some(hasPicture)) await traitsOf(kind).refuseUnseenPictures?.(connection, model, signal);
		const wanted = this.protocol ?? protocolFor(request);
		const { reader, protocol, notes } = await sendRequest(connection, wanted, request, attempt, signal).catch(
			async (error: unknown) => {
				throw await withModelsOf(connection, error, { model, kind, signal });
			},
		);
		return { reader, protocol, request, notes: [...drafted.notes, ...unfit, ...notes] };
	}

	private notesOn({ reasoning }: ChatAnswer): string[] {
		if (!this.settings.showThinking || this.showsThinking || reasoning.trim() === '') return [];
		return [
			'The thinking is not shown in front of a JSON answer, because a chain could not parse it then. It is in the execution log.',
		];
	}

	private async serverKind(
		{ connection, model }: Place,
		matters: boolean,
		signal: AbortSignal | undefined,
	): Promise<ServerKind> {
		const { serverKind } = this.settings;
		if (serverKind !== 'auto') return serverKind;
		return matters
			? await askServerKind(connection, model, { signal })
			: (knownServerKind(connection, model) ?? 'other');
	}
}

function keyOf({ connection, model }: Place): string {
	return `${connection.url.api} ${model}`;
}

/** A trailing assistant message is continued by the server, which repeats it at the beginning of the answer. */
function prefillOf(messages: readonly ChatMessage[]): string | undefined {
	const last = messages.at(-1);
	return last?.role === 'assistant' && last.toolCalls === undefined && last.content !== '' ? last.content : undefined;
}
