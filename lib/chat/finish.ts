import { forgetIfContradicted } from '../servers/identify';
import { isIdentified, kindOf } from '../servers/kinds';
import type { ServerKind } from '../servers/kinds/kind';
import { failoverNotes } from '../servers/pool/failover';
import type { AnswerFailure } from './answer/collector';
import { remarkOnContextSize } from './answer/context-sizes';
import { noteOnOtherModel } from './answer/other-model';
import { answerFailure, foreignLines, foreignText } from './answer/failure';
import { leastPromptTokens } from './answer/prompt-sizes';
import { remarkOnPromptCache } from './answer/prompt-cache';
import {
	completed,
	noteOnCallsInText,
	noteOnFormat,
	noteOnGrammar,
	noteOnThinking,
	notesOnForcedCall,
} from './answer/remarks';
import { thinkingHabits } from './answer/thinking-habits';
import { modelKey, type OpenedAnswer, serverKindOf } from './open';
import type { PreparedCall } from './prepare';
import { type ReadAnswer, showsThinking } from './read';
import { type ChatSettings, textLength } from './request/request';
import type { ChatAnswer, FinishedAnswer } from './types';
import { contextSizeOf } from './request/ollama-options';
import { nonEmptyText, optional } from '../values';

/**
 * Checks an answer that was read completely, adds notes, and learns from it.
 *
 * @param hasSeveral whether the credential has several servers
 * @throws {ServerError} if it is not a usable answer
 */
export async function finishAnswer(
	prepared: PreparedCall,
	opened: OpenedAnswer,
	read: ReadAnswer,
	hasSeveral: boolean,
): Promise<FinishedAnswer> {
	const { connection, model, request, serverKind, passedOver, reader } = opened;
	const { assembly, shown, strayLines, firstTokenMs } = read;
	await acceptMissingReason(prepared, opened, read);
	// Some answers tell their server even through a gateway.
	const answering = kindOf(assembly.madeBy ?? request.serverKind);
	const result = assembly.finish(strayLines);
	if ('failed' in result) throw await failureOf(result.failed, prepared, opened, answering);
	if (assembly.madeBy !== undefined) forgetIfContradicted(connection, assembly.madeBy, model);
	prepared.memory.remember(result.answer);
	thinkingHabits.learnFrom(modelKey(opened), assembly.thinkingSeen, result.answer);
	const answer = completed(result.answer, prepared.messages);
	const notes = [
		...prepared.notes,
		...opened.notes,
		...read.notes,
		...failoverNotes(passedOver, connection.url.root),
		...notesOnForcedCall(request, answer),
		noteOnFormat(request, answer),
		noteOnGrammar(request),
		noteOnThinking(request, answer),
		noteOnCallsInText(assembly, serverKind),
		noteOnHiddenThinking(prepared.settings, answer),
		...answer.notes,
		await noteOnDroppedMessages(answering, prepared, opened, answer),
		answering.chat.remarkOnPlace?.(model),
		await noteOnIgnoredName(opened, answer),
		assembly.madeBy === undefined ? undefined : noteOnReload(answering, opened, answer),
		remarkOnPromptCache(request, answer),
	];
	return {
		...answer,
		text: shown,
		notes: notes.filter((note) => note !== undefined),
		url: reader.url,
		...(hasSeveral ? { server: { url: connection.url.root, model, passedOver } } : {}),
		serverKind,
		...optional({ callNotRun: assembly.unrunCall?.because }),
		firstTokenMs,
		totalMs: performance.now() - prepared.startedAt,
	};
}

/** The name that was sent. Extra Body has the last word. */
function requestedModel({ model, request }: OpenedAnswer): string {
	return nonEmptyText(request.parameters.extraBody?.model) ?? model;
}

/** Only of unknown servers: every known one sends a finish reason. */
async function acceptMissingReason(
	{ settings, call }: PreparedCall,
	opened: OpenedAnswer,
	{ assembly, strayLines }: ReadAnswer,
): Promise<void> {
	if (!assembly.endedWithoutReason || strayLines.length > 0) return;
	const kind = await serverKindOf(settings, opened, true, call.signal);
	if (!isIdentified(kind)) assembly.acceptEndWithoutReason();
}

async function noteOnDroppedMessages(
	{ chat }: ServerKind,
	prepared: PreparedCall,
	opened: OpenedAnswer,
	{ usage }: ChatAnswer,
): Promise<string | undefined> {
	if (usage === undefined || chat.remarkOnDroppedMessages === undefined) return undefined;
	const { promptTokens } = usage;
	const leastTokens = leastPromptTokens(modelKey(opened), opened.request, promptTokens);
	const conversation = {
		...fittedConversation(prepared, opened, promptTokens),
		...optional({ leastTokens }),
	};
	const { signal } = prepared.call;
	return await chat.remarkOnDroppedMessages(opened.connection, conversation, signal);
}

/** The server may have answered with another model than the one that was named. */
async function noteOnIgnoredName(
	opened: OpenedAnswer,
	{ model }: ChatAnswer,
): Promise<string | undefined> {
	if (kindOf(opened.serverKind).models.ignoresName !== true) return undefined;
	return await noteOnOtherModel(opened.connection, requestedModel(opened), model);
}

function noteOnReload(
	{ chat }: ServerKind,
	opened: OpenedAnswer,
	{ timings }: ChatAnswer,
): string | undefined {
	if (chat.reloadsForContext !== true) return undefined;
	return remarkOnContextSize(modelKey(opened), {
		size: contextSizeOf(opened.request.parameters),
		loadMs: timings?.load_ms,
	});
}

async function failureOf(
	failed: AnswerFailure,
	prepared: PreparedCall,
	opened: OpenedAnswer,
	answering: ServerKind,
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
		const explained = await answering.chat.explainEmptyAnswer?.(connection, conversation, signal);
		if (explained !== undefined) return explained;
	}
	const cutStream = answering.words.cutStream ?? kindOf(opened.serverKind).words.cutStream;
	return answerFailure(failed, context, settings.parameters, cutStream);
}

function fittedConversation(
	{ messages }: PreparedCall,
	{ model, request }: OpenedAnswer,
	promptTokens: number,
) {
	const contextSize = contextSizeOf(request.parameters);
	return { model, characters: textLength(messages), promptTokens, ...optional({ contextSize }) };
}

function noteOnHiddenThinking(
	settings: ChatSettings,
	{ reasoning }: ChatAnswer,
): string | undefined {
	if (!settings.showThinking || showsThinking(settings) || reasoning.trim() === '')
		return undefined;
	return 'The thinking is not shown in front of a JSON answer, because a chain could not parse it then. It is in the execution log.';
}
