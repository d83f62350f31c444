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
	const { settings, call, messages, memory, startedAt } = prepared;
	const { connection, model, request, serverKind, passedOver, reader } = opened;
	const { assembly, shown, strayLines, firstTokenMs } = read;
	if (assembly.endedWithoutReason && strayLines.length === 0) {
		// Only unknown servers: every known one sends a finish reason.
		if (!isIdentified(await serverKindOf(settings, opened, true, call.signal)))
			assembly.acceptEndWithoutReason();
	}
	// Some answers tell their server even through a gateway.
	const answering = kindOf(assembly.madeBy ?? request.serverKind);
	const result = assembly.finish(strayLines);
	if ('failed' in result) throw await failureOf(result.failed, prepared, opened, answering);
	if (assembly.madeBy !== undefined) forgetIfContradicted(connection, assembly.madeBy, model);
	memory.remember(result.answer);
	thinkingHabits.learnFrom(modelKey(opened), assembly.thinkingSeen, result.answer);
	const answer = completed(result.answer, messages);
	const { usage, timings } = answer;
	const dropped =
		usage &&
		(await answering.chat.remarkOnDroppedMessages?.(
			connection,
			{
				...fittedConversation(prepared, opened, usage.promptTokens),
				...optional({
					leastTokens: leastPromptTokens(modelKey(opened), request, usage.promptTokens),
				}),
			},
			call.signal,
		));
	const resized =
		answering.chat.reloadsForContext === true && assembly.madeBy !== undefined
			? remarkOnContextSize(modelKey(opened), {
					size: contextSizeOf(request.parameters),
					loadMs: timings?.load_ms,
				})
			: undefined;
	const otherModel = kindOf(serverKind).models.ignoresName
		? await noteOnOtherModel(connection, requestedModel(opened), answer.model)
		: undefined;
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
		noteOnHiddenThinking(settings, answer),
		...answer.notes,
		dropped,
		answering.chat.remarkOnPlace?.(model),
		otherModel,
		resized,
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
		totalMs: performance.now() - startedAt,
	};
}

/** The name that was sent. Extra Body has the last word. */
function requestedModel({ model, request }: OpenedAnswer): string {
	return nonEmptyText(request.parameters.extraBody?.model) ?? model;
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
	const { kind, usage } = failed;
	return (
		foreignLines(failed, protocol.framing, reader.framing(), context) ??
		foreignText(failed, reader.headers['content-type'], context) ??
		(kind === 'emptyAnswer' && usage !== undefined
			? await answering.chat.explainEmptyAnswer?.(
					connection,
					fittedConversation(prepared, opened, usage.promptTokens),
					call.signal,
				)
			: undefined) ??
		answerFailure(
			failed,
			context,
			settings.parameters,
			answering.words.cutStream ?? kindOf(opened.serverKind).words.cutStream,
		)
	);
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
