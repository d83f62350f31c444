/** Follows a run that was started elsewhere, past the pauses whose forms were already submitted. */
import { rejectOnAbort } from '../../http/abort';
import { ServerError } from '../../errors/server-error';
import type { DifyClient } from '../client';
import { apiPath } from '../api-path';
import { humanFormPath } from '../human-form';
import type { HumanForm, RunResult } from '../types';
import type { RunReaderOptions } from './run-reader';
import { readRun } from './run-reader';
import { createStillRunningError, getPollInterval } from './run-record';
import { getExpiryWarning } from './run-result';

export interface FollowRequest extends Omit<
	RunReaderOptions,
	'stop' | 'followedRunId' | 'awaitedFormKeys' | 'areFormsOpen'
> {
	runId: string;
	/** The user who started the run. */
	user: string;
	/** Token of a form that this client submitted. */
	submittedToken?: string;
}

/**
 * Attaches to an existing run and waits for its end: Dify replays past events, then sends new ones
 * (docs/protocols/dify.md 2.4). Aborting does not stop the run. Dify reports a pause until it resumes the run, also
 * after its form was submitted: such a pause is passed over.
 *
 * @throws {ServerError} of type `runNotFound` for another user's run
 */
export async function followRun(
	client: DifyClient,
	{ runId, user, submittedToken, onDeltas, ...options }: FollowRequest,
): Promise<RunResult> {
	const { continueAfterPause = false } = options;
	const url = client.buildUrl(apiPath`/workflow/${runId}/events`, {
		user,
		include_state_snapshot: 'true',
		continue_on_pause: continueAfterPause ? 'true' : undefined,
	});
	const awaitedFormKeys = new Set<string>();
	const totalMs = options.timeouts?.totalMs ?? 0;
	const startedAt = performance.now();
	const areFormsOpen = async (forms: readonly HumanForm[]) => {
		for (const form of forms) if ((await getFormState(client, form)) !== 'open') return false;
		return true;
	};
	let lackedForms = false;
	for (let attempts = 0; ; attempts++) {
		const remainingMs = totalMs === 0 ? 0 : totalMs - (performance.now() - startedAt);
		if (remainingMs < 0) throw createStillRunningError(runId, totalMs);
		const result = await readRun(
			client,
			{ url, method: 'GET' },
			{
				...options,
				timeouts: { ...options.timeouts, totalMs: remainingMs },
				followedRunId: runId,
				awaitedFormKeys,
				areFormsOpen,
			},
		);
		const { text } = result;
		const mustReadAgain = continueAfterPause
			? result.pause?.forms.length === 0
			: !lackedForms && mayLackForms(result);
		lackedForms = mayLackForms(result);
		const finalResult = mustReadAgain
			? undefined
			: await withOpenForms(client, result, submittedToken);
		if (finalResult !== undefined) {
			if (text !== '' && onDeltas !== undefined) {
				await display(client, async () => await onDeltas([{ type: 'append', text }]));
			}
			return finalResult;
		}
		await client.sleep(getPollInterval(attempts));
	}
}

/** Whether the pause was read from the record, which has neither reasons nor forms. */
export function mayLackForms({ pause }: RunResult): boolean {
	return pause !== undefined && (pause.forms.length === 0 || pause.reasons.length === 0);
}

/** Displays the text. A display that fails or hangs must not discard the result. */
async function display({ signal }: DifyClient, show: () => Promise<void>) {
	await rejectOnAbort(signal ?? new AbortController().signal, show).catch(() => undefined);
}

/** The result, with the forms that can still be submitted; undefined if Dify is about to resume the run. */
async function withOpenForms(
	client: DifyClient,
	result: RunResult,
	submittedToken: string | undefined,
): Promise<RunResult | undefined> {
	const { pause } = result;
	if (pause === undefined || pause.forms.length === 0) return result;
	const forms: HumanForm[] = [];
	const warnings = [...result.warnings, ...getOtherRunWarnings(result, submittedToken)];
	for (const form of pause.forms) {
		const state =
			form.formToken === submittedToken ? 'submitted' : await getFormState(client, form);
		if (state === 'expired') warnings.push(getExpiryWarning(form.nodeTitle ?? form.nodeId ?? ''));
		if (state === 'expired') forms.push({ ...form, isExpired: true });
		if (state === 'open') forms.push(form);
	}
	if (forms.length === 0) return undefined;
	return { ...result, pause: { ...pause, forms }, warnings };
}

/** A warning if the submitted form is of another run: this one neither waits for it, nor has a node that was answered. */
function getOtherRunWarnings({ workflow, pause }: RunResult, token: string | undefined) {
	const isKnown =
		token === undefined ||
		pause?.forms.some(({ formToken }) => formToken === token) ||
		workflow?.nodes.some(({ type, status }) => type === 'human-input' && status === 'succeeded');
	return isKnown
		? []
		: [
				'The submitted form belongs to another run, and this run still waits for its own form: check that Form Token and Workflow Run ID are of the same run.',
			];
}

/** Whether Dify accepts the form. Without a token, and if Dify does not respond, it counts as open. */
async function getFormState(
	client: DifyClient,
	{ formToken }: HumanForm,
): Promise<'open' | 'submitted' | 'expired'> {
	if (formToken === null) return 'open';
	const error = await client.get(humanFormPath(formToken)).then(
		() => undefined,
		(error: unknown) => error,
	);
	if (client.signal?.aborted === true) throw error as Error;
	if (!(error instanceof ServerError) || error.type !== 'formClosed') return 'open';
	return error.code === 'human_input_form_expired' ? 'expired' : 'submitted';
}
