import { askServerKind, forgetIfContradicted, knownServerKind } from '../servers/identify';
import { identifiedKind, isIdentified, type KindName, kindOf } from '../servers/kinds';
import {
	type ChatAbilities,
	type FittedConversation,
	isSparse,
} from '../servers/kinds/chat-abilities';
import { modelKey } from '../servers/model-key';
import type { ServerKind } from '../servers/kinds/kind';
import type { AnswerFailure } from './answer/collector';
import { noteOnOtherModel } from './answer/other-model';
import { answerFailure, foreignLines, foreignText } from './answer/failure';
import { leastPromptTokens } from './answer/prompt-sizes';
import {
	completed,
	noteOnCallsInText,
	noteOnFormat,
	noteOnGrammar,
	noteOnThinking,
	notesOnForcedCall,
	noteOnReachedLimit,
	notesOnIgnoredLimits,
} from './answer/remarks';
import type { OpenedAnswer } from './open';
import type { PreparedCall } from './prepare';
import { type ReadAnswer, showsThinking } from './read';
import { type ChatSettings, textLength } from './request/request';
import type { AnswerContent, FinishedAnswer } from './types';
import { contextSizeOf } from './request/ollama-options';
import { append, nonEmptyText, optional } from '../values';

/** A usable answer, and where it comes from. */
interface Judged {
	prepared: PreparedCall;
	opened: OpenedAnswer;
	read: ReadAnswer;
	answer: AnswerContent;
	/** The kind of server that made the answer; `opened.serverKind` may be a gateway in front of it. */
	maker: ServerKind;
}

/**
 * Judges an answer that was read completely, learns from it, and adds notes.
 *
 * @throws {ServerError} if it is not a usable answer
 */
export async function finishAnswer(
	prepared: PreparedCall,
	opened: OpenedAnswer,
	read: ReadAnswer,
): Promise<FinishedAnswer> {
	const judged = await judge(prepared, opened, read);
	learnFrom(judged);
	const answer = completed(judged.answer, prepared.messages);
	const notes = await notesOn({ ...judged, answer });
	return {
		...answer,
		text: read.shown,
		notes,
		url: opened.reader.url,
		...optional({
			serverKind: shownKind(judged),
			callNotRun: read.assembly.unrunCall?.because,
		}),
		firstTokenMs: read.firstTokenMs,
		totalMs: performance.now() - prepared.startedAt,
	};
}

/** What the answer tells of its server outweighs what was remembered when it was asked. */
function shownKind({ opened, read }: Judged): KindName | undefined {
	const { connection, model, serverKind } = opened;
	const asked = identifiedKind(serverKind);
	const known = knownServerKind(connection, model);
	if (asked === undefined || connection.chosenKind !== undefined) return asked ?? known;
	return identifiedKind(known ?? 'other') ?? read.assembly.madeBy ?? asked;
}

async function judge(
	prepared: PreparedCall,
	opened: OpenedAnswer,
	read: ReadAnswer,
): Promise<Judged> {
	const { assembly, strayLines } = read;
	await acceptMissingReason(prepared, opened, read);
	const maker = kindOf(assembly.madeBy ?? opened.serverKind);
	const judged = assembly.finish(strayLines);
	if ('failed' in judged) throw await failureOf(judged.failed, prepared, opened, maker);
	return { prepared, opened, read, answer: judged.answer, maker };
}

/** Remembers what the answer shows of its server and model, and its calls for the next turn. */
function learnFrom({ prepared, opened, read: { assembly }, answer }: Judged): void {
	const { connection, model } = opened;
	if (assembly.madeBy !== undefined) forgetIfContradicted(connection, assembly.madeBy, model);
	prepared.memory.remember(answer);
}

/**
 * Only llama-server sends these timings. A proxy may have removed the header with its name, as nginx does, and a gateway
 * may have passed on an answer of it.
 */
function looksLikeLlamaServer({ serverKind }: OpenedAnswer, { timings }: AnswerContent): boolean {
	return !isIdentified(serverKind) && timings?.prompt_n !== undefined;
}

type Notes = string | readonly string[] | undefined;

/** Where notes come from, in the order in which they are shown. */
const NOTE_SOURCES: ReadonlyArray<(judged: Judged) => Notes | Promise<Notes>> = [
	({ prepared }) => prepared.notes,
	({ opened }) => opened.notes,
	({ read }) => read.notes,
	({ opened, answer }) => notesOnForcedCall(opened.request, answer),
	({ opened, answer }) => noteOnFormat(opened.request, answer),
	({ opened }) => noteOnGrammar(opened.request),
	({ opened, answer }) => notesOnIgnoredLimits(opened.request, answer),
	({ opened: { connection, model, request }, read: { assembly }, answer }) =>
		noteOnReachedLimit(
			{ ...request, serverKind: knownServerKind(connection, model) ?? request.serverKind },
			answer,
			assembly.pieces,
		),
	({ opened, answer }) => noteOnThinking(opened.request, answer),
	({ opened, read }) => noteOnCallsInText(read.assembly, opened.serverKind),
	({ prepared, answer }) => noteOnHiddenThinking(prepared.settings, answer),
	({ answer }) => answer.notes,
	noteOnDroppedMessages,
	({ opened, maker }) => maker.chat.remarkOnCloudModel?.(opened.model),
	noteOnIgnoredName,
];

async function notesOn(judged: Judged): Promise<string[]> {
	const notes: string[] = [];
	for (const source of NOTE_SOURCES) {
		const more = await source(judged);
		append(notes, [more ?? []].flat());
	}
	return notes;
}

/** The name that was sent. Extra Body has the last word. */
function requestedModel({ model, request }: OpenedAnswer): string {
	return nonEmptyText(request.parameters.extraBody?.model) ?? model;
}

/** Only of unknown servers: every known one sends a finish reason. */
async function acceptMissingReason(
	{ call }: PreparedCall,
	opened: OpenedAnswer,
	{ assembly, strayLines }: ReadAnswer,
): Promise<void> {
	const end = assembly.endedWithoutReason;
	if (end === undefined || strayLines.length > 0) return;
	if (end === 'bare' && !tellsItsEnd(opened.reader.headers)) return;
	const kind = await askServerKind(opened.connection, opened.model, { signal: call.signal });
	if (!isIdentified(kind)) assembly.acceptEndWithoutReason();
}

/** Else the body lasts until the connection is closed, which a crash does as well. */
function tellsItsEnd(headers: Readonly<Record<string, string>>): boolean {
	return 'content-length' in headers || /\bchunked\b/i.test(headers['transfer-encoding'] ?? '');
}

async function noteOnDroppedMessages(judged: Judged): Promise<string | undefined> {
	const { prepared, opened, answer } = judged;
	const { usage } = answer;
	const fitted = fittedConversation(prepared, opened, usage?.promptTokens);
	const { remarkOnDroppedMessages } = await abilitiesFor(fitted, judged);
	if (remarkOnDroppedMessages === undefined) return undefined;
	const leastTokens =
		usage && leastPromptTokens(modelKey(opened), opened.request, usage.promptTokens);
	const conversation = { ...fitted, ...optional({ leastTokens }) };
	return await remarkOnDroppedMessages(opened.connection, conversation, prepared.call.signal);
}

/** A server that read too few tokens is asked which one it is, if that is not known. */
async function abilitiesFor(
	conversation: FittedConversation,
	{ prepared, opened, read, maker }: Judged,
): Promise<ChatAbilities> {
	const isKnown = read.assembly.madeBy !== undefined || isIdentified(opened.serverKind);
	if (isKnown || !isSparse(conversation)) return maker.chat;
	const { call } = prepared;
	return kindOf(await askServerKind(opened.connection, opened.model, { signal: call.signal })).chat;
}

/** The server may have answered with another model than the one that was named. */
async function noteOnIgnoredName({ opened, answer }: Judged): Promise<string | undefined> {
	const { ignoresName } = kindOf(opened.serverKind).models;
	const mayIgnoreName = ignoresName === true || looksLikeLlamaServer(opened, answer);
	if (!mayIgnoreName) return undefined;
	const requested = requestedModel(opened);
	return await noteOnOtherModel(opened.connection, requested, answer.model);
}

async function failureOf(
	failed: AnswerFailure,
	prepared: PreparedCall,
	opened: OpenedAnswer,
	maker: ServerKind,
): Promise<Error> {
	const { connection, model, reader, protocol } = opened;
	const { settings, call } = prepared;
	const context = connection.contextOf(reader.url, { model });
	const foreign =
		foreignLines(failed, protocol.framing, reader.framing(), context) ??
		foreignText(failed, reader.headers['content-type'], context);
	if (foreign !== undefined) return foreign;
	const { kind, usage } = failed;
	if (kind === 'emptyAnswer' && usage !== undefined) {
		const conversation = fittedConversation(prepared, opened, usage.promptTokens);
		const { signal } = call;
		const explained = await maker.chat.explainEmptyAnswer?.(connection, conversation, signal);
		if (explained !== undefined) return explained;
	}
	const cutStream = maker.words.cutStream ?? kindOf(opened.serverKind).words.cutStream;
	return answerFailure(failed, context, settings.parameters, cutStream);
}

function fittedConversation(
	{ messages }: PreparedCall,
	{ model, request }: OpenedAnswer,
	promptTokens: number | undefined,
) {
	const contextSize = contextSizeOf(request.parameters);
	return { model, characters: textLength(messages), ...optional({ promptTokens, contextSize }) };
}

function noteOnHiddenThinking(
	settings: ChatSettings,
	{ reasoning }: AnswerContent,
): string | undefined {
	if (!settings.showThinking || showsThinking(settings) || reasoning.trim() === '')
		return undefined;
	return 'The thinking is not shown in front of a JSON answer, because a chain could not parse it then. It is in the execution log.';
}
