import { difyFailure } from '../../../lib/dify/errors';
import { appFileTypes } from '../../../lib/dify/files/file-refs';
import type { RunRequest } from '../../../lib/dify/run/start-run';
import type { RunResult } from '../../../lib/dify/types';
import type { ServerError } from '../../../lib/errors/server-error';
import { readInputs, sentInputs } from './inputs';
import type { DifyCall } from './dify-operation';
import { requestedFiles, uploadFiles } from './run-files';

/**
 * The request of a run. Files are uploaded after all checks.
 *
 * @param tell gets warnings about inputs that Dify silently drops. Default: hints at the node
 */
export async function runRequest(
	call: DifyCall,
	user: string,
	tell: (warning: string) => void = call.hint,
): Promise<Pick<RunRequest, 'inputs' | 'files' | 'user'>> {
	const requested = await requestedFiles(call);
	const read = await readInputs(call, tell);
	const allowed = requested.length === 0 ? undefined : appFileTypes(await call.appParameters());
	const inputs = await sentInputs(call, user, read);
	return { inputs, files: await uploadFiles(call.client, user, requested, allowed), user };
}

/** Error for a run that waits for a person, where that is not requested. */
export function pausedError(app: 'chatflow' | 'workflow', result: RunResult): ServerError {
	const titles = result.pause?.forms.flatMap(({ nodeTitle }) => nodeTitle ?? []) ?? [];
	return difyFailure('runFailed', {
		status: 200,
		message: `The ${app} is waiting for human input${titles.length === 0 ? '' : ` (${titles.join(', ')})`}`,
		remedy:
			'Submit the form in Dify, or set "When Workflow Pauses" to Return Paused Run and submit the forms of the item with Dify Workflow, resource Form.',
		result,
		retryable: false,
	});
}
