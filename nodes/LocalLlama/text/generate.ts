import { runTurn } from '../../../lib/chat/turn';
import type {
	ChatSettings,
	ChatResult,
	ResponseFormat,
	InputMessage,
} from '../../../lib/chat/types';
import { jsonNotes, requestedJson } from '../../../lib/chat/validate-completion';
import { throwAs } from '../../../lib/errors/server-error';
import { namingFiles, type SentFile } from '../../../lib/tasks/file-errors';
import { optional } from '../../../lib/values';
import type { OperationItem } from '../../shared/run/operations';
import { countFailed, type GenerationUsage, countGeneration } from '../../shared/token-totals';
import { countTokens, type LlamaCall } from '../operation';

/** Generates an answer, and types it into the chat. If the chat is gone, the generation is cancelled. */
export async function generated(
	call: LlamaCall,
	settings: ChatSettings,
	messages: readonly InputMessage[],
	files: readonly SentFile[],
): Promise<ChatResult> {
	const { server, typing, priority } = call;
	const gone = new AbortController();
	let typed = Promise.resolve();
	const show = (piece: string) => {
		typed = typed.then(async () => await typing?.type(piece));
		typed.catch(() => gone.abort());
	};
	const whole = typing === undefined;
	const signal = whole ? call.signal : AbortSignal.any([call.signal, gone.signal]);
	const asked = { messages, signal, whole };
	const turn = runTurn(server, { ...settings, priority }, asked, show);
	const answer = await turn
		.catch(throwAs((error) => namingFiles(error, files)))
		.catch(async (error: unknown) => {
			// Of a chat that is gone, its own error.
			await typed;
			countFailed(call.context, error);
			throw error;
		});
	await typed;
	reportAnswer(call, answer);
	return answer;
}

/** Shows the remarks and tokens of an answer in n8n. */
export function reportAnswer(
	call: LlamaCall,
	answer: Pick<ChatResult, 'notes'> & GenerationUsage,
): void {
	const { notes, usage } = answer;
	for (const note of notes) call.hint(note);
	countGeneration(call.context, answer);
	if (usage !== undefined) countTokens(call, usage);
}

/** Metadata of an answer for its item. */
export function answerFacts(answer: Omit<ChatResult, 'text' | 'toolCalls' | 'notes'>) {
	const { reasoning, finishReason, usage, timings, model, serverKind, log } = answer;
	return {
		...(reasoning === '' ? {} : { reasoning }),
		finishReason,
		...optional({
			usage,
			timings,
			model,
			server: serverKind,
			placesGivenUp: log?.placesGivenUp,
		}),
	};
}

/**
 * An answer as an item. Requested JSON is parsed.
 *
 * @throws {ServerError} of kind `invalidAnswer` with the text, where it is not JSON or does not follow the schema
 */
export function answerItem(
	call: LlamaCall,
	answer: ChatResult,
	format: ResponseFormat | undefined,
): OperationItem {
	const requested = requestedJson(answer, format);
	if (requested !== undefined) jsonNotes(requested).forEach((note) => call.hint(note));
	return {
		json: { text: answer.text, ...optional({ json: requested?.value }), ...answerFacts(answer) },
	};
}
