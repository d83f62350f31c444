import { createDifyError } from '../../../lib/dify/errors';
import { getAppFileTypes } from '../../../lib/dify/files/file-refs';
import type { RunRequest } from '../../../lib/dify/run/start-run';
import type { RunResult } from '../../../lib/dify/types';
import type { ServerError } from '../../../lib/errors/server-error';
import { readInputs, uploadInputs } from './inputs';
import type { DifyCall } from './dify-operation';
import { readRequestedFiles, uploadFiles } from './run-files';

/**
 * The request of a run. Files are uploaded after all checks.
 *
 * @param tell gets warnings about inputs that Dify silently drops. Default: hints at the node
 */
export async function buildRunRequest(
	call: DifyCall,
	user: string,
	tell: (warning: string) => void = call.hint,
): Promise<Pick<RunRequest, 'inputs' | 'files' | 'user'>> {
	const requested = await readRequestedFiles(call);
	const read = await readInputs(call, tell);
	const allowed = requested.length === 0 ? undefined : getAppFileTypes(await call.appParameters());
	const inputs = await uploadInputs(call, user, read);
	return { inputs, files: await uploadFiles(call.client, user, requested, allowed), user };
}

/** Error for a run that waits for a person, where that is not requested. */
export function createPausedError(app: 'chatflow' | 'workflow', result: RunResult): ServerError {
	const titles = result.pause?.forms.flatMap(({ nodeTitle }) => nodeTitle ?? []) ?? [];
	return createDifyError('runFailed', {
		status: 200,
		message: `The ${app} is waiting for human input${titles.length === 0 ? '' : ` (${titles.join(', ')})`}`,
		suggestion:
			'Submit the form in Dify, or set "When Workflow Pauses" to Return Paused Run and submit the forms of the item with Dify Workflow, resource Form.',
		result,
		retryable: false,
	});
}
