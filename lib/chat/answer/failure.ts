import { failure } from '../../errors/failure';
import { mask } from '../../errors/secrets';
import { ServerError } from '../../errors/server-error';
import type { Framing } from '../../http/types';
import type { Assembly } from './assembly';
import type { AnswerFailure } from './collector';
import type { ChatParameters } from '../types';
import { type JsonRecord, messageOf } from '../../values';

/** Some servers drop unfinished thinking. */
const CUT_BEFORE_TEXT =
	'The token limit ended it before there was any text. Raise Maximum Tokens or the context of the server, or turn thinking off in the options.';

/**
 * The error for an answer that cannot be used.
 *
 * @param cutRemedy advice for a server that is known to end its streams early
 */
export function answerFailure(
	{ kind, serverText, status, tool, facts, text, reasoning }: AnswerFailure,
	context: Parameters<typeof failure>[1],
	parameters: ChatParameters,
	cutRemedy: string | undefined,
): ServerError {
	return failure(kind, context, {
		status,
		serverText,
		facts,
		partialText: text || undefined,
		partialReasoning: reasoning || undefined,
		...(kind === 'emptyAnswer' && facts?.finishReason === 'length'
			? { remedy: CUT_BEFORE_TEXT }
			: {}),
		...(kind === 'streamEndedEarly' && cutRemedy !== undefined ? { remedy: cutRemedy } : {}),
		...remedyFor(kind, tool, facts),
		about: { tool, maxTokens: limitOf(parameters), endedItself: facts?.finishReason === 'stop' },
	});
}

function remedyFor(
	kind: string,
	tool: string | undefined,
	{ offeredTools, callInThinking }: JsonRecord = {},
) {
	if (kind === 'onlyThinking' && typeof callInThinking === 'string')
		return {
			remedy: `The model wrote what looks like a call of the tool "${callInThinking}" into its thinking, where nothing is run. Ask again, turn thinking off in the options, or use another reasoning parser of the server.`,
		};
	if (kind !== 'toolCallInvalid' || !Array.isArray(offeredTools)) return {};
	return {
		message: `The model called the tool "${tool}", which is not connected. Connected are: ${offeredTools.join(', ')}`,
		remedy:
			'Name the tools in the system prompt, connect the one that is missing, or use a model with better tool support. n8n would leave the call out and ask the same again, up to Max Iterations.',
	};
}

/**
 * The error for an empty answer in JSON lines, where events were expected: another API answered, such as Ollama's own.
 * Undefined for other failures.
 */
export function foreignLines(
	{ kind, text, reasoning }: AnswerFailure,
	wanted: Framing,
	found: Framing | undefined,
	context: Parameters<typeof failure>[1],
): ServerError | undefined {
	const isEmpty =
		(kind === 'streamEndedEarly' || kind === 'emptyAnswer') && text === '' && reasoning === '';
	if (!isEmpty || wanted !== 'sse' || found !== 'ndjson') return undefined;
	return failure('invalidAnswer', context, {
		message:
			'The server answered with JSON lines (NDJSON) of another API, not with the events of the OpenAI API',
		remedy:
			'Check the Base URL and the proxy in front of the server: the OpenAI-compatible API is at /v1, a native one at /api/chat.',
		facts: { framing: found },
	});
}

/**
 * The error for plain text in place of events: from a server that streams plain text, or from another program.
 * Undefined for other failures.
 */
export function foreignText(
	{ kind, text, reasoning, serverText }: AnswerFailure,
	contentType: string | undefined,
	context: Parameters<typeof failure>[1],
): ServerError | undefined {
	const type = contentType?.split(';')[0]?.trim() ?? '';
	const isEmpty =
		kind === 'streamEndedEarly' && text === '' && reasoning === '' && serverText !== undefined;
	if (!isEmpty || type === '' || /event-stream|json/i.test(type)) return undefined;
	return failure('invalidAnswer', context, {
		message: `The server answered with ${type}, not with the events of the OpenAI API (text/event-stream)`,
		remedy:
			'A server of your own has to send each piece as "data: {…}" with choices[0].delta.content, and at the end "data: [DONE]", or the whole answer as one JSON object. What came is in the details.',
		serverText,
		partialText: mask(serverText, context.secrets),
	});
}

/** The token limit to name in advice; -1 means no limit. */
function limitOf({ maxTokens }: ChatParameters): number | undefined {
	return maxTokens !== undefined && maxTokens > 0 ? maxTokens : undefined;
}

/** The failure with everything that had arrived, including text that was held back. */
export function withPartialAnswer(error: unknown, assembly: Assembly): ServerError {
	const failed =
		error instanceof ServerError
			? error
			: failure('invalidAnswer', {}, { serverText: messageOf(error) });
	Array.from(assembly.flush());
	return failed.withPartial(assembly.partial);
}
