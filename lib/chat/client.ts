import type { Connection } from '../http/connection';
import type { EventStream } from '../http/types';
import { ServerError } from '../errors/server-error';
import { failure } from '../errors/failure';
import { parseJson } from '../values';
import type { ServerSentEvent } from '../http/sse';
import { answerFailure, foreignLines, withPartialAnswer } from './answer-failure';
import { Assembly, type AssemblyStep } from './assembly';
import { convertMessages } from './messages';
import { checkParameters } from './parameters';
import { callableTools, type ChatCall, type ChatSettings, draftRequest, hasPicture, textLength } from './request';
import { sendRequest } from './send';
import { askServerKind, knownServerKind, learnFromHeaders } from '../servers/identify';
import { traitsOf } from '../servers/kinds';
import type { ServerKind, ToolCallMarkup } from '../servers/kinds/kind';
import { ThinkingHabits, type ThinkingSeen } from './thinking-habits';
import { ThinkingPresenter } from './thinking-presenter';
import { TurnMemory } from './turn-memory';
import type { ChatAnswer, ChatMessage, WireChunk } from './types';
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

const ENDED_WITHOUT_MARKER =
	'The server said that the answer was finished, but did not end the stream. If something is missing at the end of the answer, this is why.';

const JSON_FORMATS: ReadonlySet<string | undefined> = new Set(['jsonObject', 'jsonSchema']);

const thinkingHabits = new ThinkingHabits();
const sharedMemory = new TurnMemory();

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
			recall: (id) => this.memory.recall(id),
		});
		const draft = draftRequest(this.settings, call, messages);
		const { request, notes } = draft.forServer(await this.serverKind(draft.dependsOnServer, call.signal));
		if (messages.some(hasPicture))
			await traitsOf(request.serverKind).refuseUnseenPictures?.(this.connection, request.model, call.signal);
		const { connection, protocol, settings } = this;
		const { reader, notes: adapted } = await sendRequest(connection, protocol, request, settings, call.signal);
		learnFromHeaders(this.connection, reader.headers, request.model);
		const serverKind =
			request.serverKind === 'other'
				? (knownServerKind(this.connection, request.model) ?? 'other')
				: request.serverKind;
		const assembly = new Assembly({
			openingThinkTagMayBeMissing: this.mayBeginThinking(serverKind, call.whole),
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
				const { step, ...rest } = this.readBatch(batch, assembly, reader);
				if (firstTokenMs === 0 && assembly.started) firstTokenMs = performance.now() - startedAt;
				const shown = presenter.show(step);
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
		}
		const rest = presenter.show(assembly.flush());
		if (rest !== '') yield rest;
		const closing = presenter.end();
		if (closing !== '') yield closing;
		const result = assembly.finish([...(unreadable === undefined ? [] : [unreadable.line]), ...reader.strayLines()]);
		// Ollama's answers tell where they come from, whatever gateway passed them on.
		const maker = traitsOf(assembly.isFromOllama ? 'ollama' : request.serverKind);
		if ('failed' in result) {
			const context = this.contextOf(reader.url);
			throw (
				foreignLines(result.failed, protocol.framing, reader.framing(), context) ??
				answerFailure(result.failed, context, settings.parameters, maker.cutStreamRemedy)
			);
		}
		this.memory.remember(result.answer);
		this.learnThinking(assembly.thinkingSeen, result.answer);
		const { answer } = result;
		const dropped =
			answer.usage === undefined
				? undefined
				: await maker.remarkOnDroppedMessages?.(
						this.connection,
						{ model: request.model, characters: textLength(messages), promptTokens: answer.usage.promptTokens },
						call.signal,
					);
		return {
			...answer,
			text: presenter.shown,
			notes: [
				...notes,
				...adapted,
				...notesOnCallsInText(assembly.markupInText, serverKind),
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

	/** A chain that parses a JSON answer cannot read it with thinking in front. */
	private get showsThinking(): boolean {
		return this.settings.showThinking && !JSON_FORMATS.has(this.settings.parameters.responseFormat?.type);
	}

	private get modelKey(): string {
		return `${this.connection.url.api} ${this.settings.model}`;
	}

	private notesOn({ reasoning }: ChatAnswer): string[] {
		if (!this.settings.showThinking || this.showsThinking || reasoning.trim() === '') return [];
		return [
			'The thinking is not shown in front of a JSON answer, because a chain could not parse it then. It is in the execution log.',
		];
	}

	/**
	 * Whether text is held back until a closing tag decides what it is. llama-server splits thinking off itself, or sends
	 * the opening tag along: what it streams is not held back for a name. Where nobody reads along, waiting costs
	 * nothing.
	 */
	private mayBeginThinking(serverKind: ServerKind, whole = false): boolean {
		if (thinkingHabits.leavesOpeningTagOut(this.modelKey)) return true;
		if (thinkingHabits.marksItsThinking(this.modelKey)) return false;
		return whole || (!traitsOf(serverKind).splitsThinking && THINKING_MODELS.test(this.settings.model));
	}

	/** An answer that was cut off, or that holds calls only, tells nothing by what it lacks. */
	private learnThinking(seen: ThinkingSeen, { text, finishReason }: ChatAnswer): void {
		const tells = seen.openingTagMissing || seen.markedThinking || (text.trim() !== '' && finishReason !== 'length');
		if (tells) thinkingHabits.learn(this.modelKey, seen);
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
				const line = this.connection.maskStart(event.data, 500);
				const mayBeCut = index === batch.length - 1 && line.startsWith('{') && parseJson(event.data) === undefined;
				return { step: sum, unreadable: { error: chunk, line, mayBeCut } };
			}
			if (bringsContent(chunk)) reader.content();
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
				facts: { line: this.connection.maskStart(event.data, 500) },
			});
		}
	}

	private async serverKind(matters: boolean, signal: AbortSignal | undefined): Promise<ServerKind> {
		const { serverKind } = this.settings;
		if (serverKind !== 'auto') return serverKind;
		const model = this.settings.model.trim();
		return matters
			? await askServerKind(this.connection, model, { signal })
			: (knownServerKind(this.connection, model) ?? 'other');
	}

	private contextOf(url: string) {
		return this.connection.contextOf(url, { model: this.settings.model });
	}
}

/**
 * Whether the model said anything: what is empty may come from a server whose GPU hangs, as a sign that the server
 * lives.
 */
function bringsContent({ text, reasoning, toolCalls = [] }: WireChunk): boolean {
	const isEmpty = (args: unknown) => args === undefined || args === '';
	return Boolean(text) || Boolean(reasoning) || toolCalls.some(({ name, arguments: args }) => name || !isEmpty(args));
}

/** A trailing assistant message is continued by the server, which repeats it at the beginning of the answer. */
function prefillOf(messages: readonly ChatMessage[]): string | undefined {
	const last = messages.at(-1);
	return last?.role === 'assistant' && last.toolCalls === undefined && last.content !== '' ? last.content : undefined;
}

function notesOnCallsInText(markup: ToolCallMarkup | undefined, serverKind: ServerKind): string[] {
	if (markup === undefined) return [];
	return [
		`The server handed on a tool call as text, because it lacks the parser or the chat template for this model. The node read the call from the text. ${traitsOf(serverKind).toolParserAdvice(markup)}`,
	];
}
