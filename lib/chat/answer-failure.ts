import { failure } from '../errors/failure';
import { ServerError } from '../errors/server-error';
import type { Assembly, AssemblyFailure } from './assembly';
import type { ChatParameters } from './types';

/** Some servers drop thinking that does not come to its end. */
const CUT_BEFORE_TEXT =
	'The token limit ended it before there was any text. Raise Maximum Tokens or the context of the server, or turn thinking off in the options.';

/**
 * The error for an answer that is none.
 *
 * @param cutRemedy what to do where the server is known to end its streams early
 */
export function answerFailure(
	{ kind, serverText, status, tool, facts, text, reasoning }: AssemblyFailure,
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
		...(kind === 'emptyAnswer' && facts?.finishReason === 'length' ? { remedy: CUT_BEFORE_TEXT } : {}),
		...(kind === 'streamEndedEarly' && cutRemedy !== undefined ? { remedy: cutRemedy } : {}),
		about: { tool, maxTokens: limitOf(parameters), endedItself: facts?.finishReason === 'stop' },
	});
}

/** The limit to name in advice; -1 is none. */
function limitOf({ maxTokens }: ChatParameters): number | undefined {
	return maxTokens !== undefined && maxTokens > 0 ? maxTokens : undefined;
}

/** The failure with everything that had arrived, what was still held back included. */
export function withPartialAnswer(error: unknown, assembly: Assembly): ServerError {
	const failed =
		error instanceof ServerError
			? error
			: failure('invalidAnswer', {}, { serverText: error instanceof Error ? error.message : String(error) });
	assembly.flush();
	return failed.withPartial(assembly.partial);
}
