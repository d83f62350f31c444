import { ServerError } from '../../errors/server-error';
import { recordOf, type JsonRecord } from '../../values';
import { explainAppType } from '../app/app-mode';
import type { DifyClient } from '../client';
import { localError } from '../errors/failure';
import { readForm } from '../forms/input-form';
import { RUN_ROUTES, runBody, startRun, type RunOptions, type RunRequest } from './run';
import type { RunResult } from '../types';

/**
 * Runs a text generator. A lost stream cannot be recovered, so it is never sent twice.
 *
 * @throws {ServerError} as `startRun`; for another type of app, with that type
 */
export async function complete(
	client: DifyClient,
	request: RunRequest,
	options: RunOptions = {},
): Promise<RunResult> {
	const body = runBody(request);
	try {
		const running = startRun(client, RUN_ROUTES.completion, body, request.user, options);
		return withCutOffWarning(await running);
	} catch (error) {
		throw await explainAppType(client, explainEmptyText(error), 'completion');
	}
}

/** A stopped run ends like any other, but Dify counts no tokens then (docs/protocols/dify.md 12.1). */
function withCutOffWarning(result: RunResult): RunResult {
	const { total_tokens: total } = recordOf(recordOf(result.metadata).usage);
	if (total !== 0 || result.text === '') return result;
	const warning =
		'The text may be cut off: Dify counted no tokens, as it does where somebody stopped the run, and for preset replies.';
	return { ...result, warnings: [...result.warnings, warning] };
}

/** A text generator has no query: what is missing is the text. */
function explainEmptyText(error: unknown): unknown {
	if (!(error instanceof ServerError) || error.kind !== 'emptyQuery') return error;
	return error.reworded({
		message: 'The field Text is empty',
		remedy: 'Fill in Text, or the form of the app.',
	});
}

/**
 * Puts the text into the only text variable of the form.
 *
 * @param parameters answer of `GET /parameters`
 * @throws {ServerError} where the form has no text variable left, or several
 */
export function withText(inputs: JsonRecord, text: string, parameters: JsonRecord): JsonRecord {
	if (text === '') return inputs;
	const names = readForm(parameters)
		.filter(
			({ kind, variable }) => ['text-input', 'paragraph'].includes(kind) && !(variable in inputs),
		)
		.map(({ variable }) => variable);
	if (names.length === 1) return { ...inputs, [names[0]!]: text };
	throw localError(
		'inputs',
		names.length === 0
			? 'The app has no variable for the field Text'
			: 'It is not clear which variable of the app takes the field Text',
		names.length === 0
			? 'Empty the field Text, and fill in the form of the app.'
			: `Empty the field Text, and fill in the form of the app, or all of its text variables but one: ${names.join(', ')}.`,
	);
}
