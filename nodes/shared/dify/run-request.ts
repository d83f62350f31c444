import { createDifyError } from '../../../lib/dify/errors';
import { getAppFileTypes } from '../../../lib/dify/files/file-refs';
import type { RunRequest } from '../../../lib/dify/run/start-run';
import type { HumanForm, RunResult } from '../../../lib/dify/types';
import type { ServerError } from '../../../lib/errors/server-error';
import { readInputs, uploadInputs } from './inputs';
import type { DifyCall } from './dify-operation';
import { readRequestedFiles, uploadFiles } from './run-files';

interface RequestOptions {
	/** Path of the field "Files". Default: `files`. */
	filesPath?: string;
	/** Receives warnings about inputs that Dify silently drops. Default: hints. */
	onWarning?: (warning: string) => void;
}

/** The request of a run. Files are uploaded after all checks. */
export async function buildRunRequest(
	call: DifyCall,
	user: string,
	{ filesPath, onWarning = call.hint }: RequestOptions = {},
): Promise<Pick<RunRequest, 'inputs' | 'files' | 'user'>> {
	const requested = await readRequestedFiles(call, filesPath);
	const parsedInputs = await readInputs(call, onWarning);
	const allowedTypes =
		requested.length === 0 ? undefined : getAppFileTypes(await call.appParameters());
	const inputs = await uploadInputs(call, user, parsedInputs);
	return { inputs, files: await uploadFiles(call.client, user, requested, allowedTypes), user };
}

/** A form without what only Dify's own page needs. */
export function toSimpleForm(form: HumanForm): object {
	return { ...form, displayInUi: undefined, resolvedDefaultValues: undefined };
}

/** Error for a run that unexpectedly pauses for human input. */
export function createPausedError(app: 'chatflow' | 'workflow', result: RunResult): ServerError {
	const titles = result.pause?.forms.flatMap(({ nodeTitle }) => nodeTitle ?? []) ?? [];
	return createDifyError('runFailed', {
		status: 200,
		title: `The ${app} is waiting for human input${titles.length === 0 ? '' : ` (${titles.join(', ')})`}`,
		suggestion:
			'Submit the form in Dify, or set "When Workflow Pauses" to Return Paused Run and submit the forms of the item with Dify Workflow, resource Form.',
		result,
		retryable: false,
	});
}
