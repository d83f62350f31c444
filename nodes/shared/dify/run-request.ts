import { difyFailure } from '../../../lib/dify/errors/failure';
import { appFileRules, type DifyFileRef } from '../../../lib/dify/files/files';
import type { RunResult } from '../../../lib/dify/types';
import type { ServerError } from '../../../lib/errors/server-error';
import type { JsonRecord } from '../../../lib/values';
import { inputsOf } from './inputs';
import type { DifyCall } from './run';
import { acceptedFiles, uploadOf, requestedFiles } from './run-files';

/**
 * The request of a run. Files are uploaded after all checks.
 *
 * @param tell as in `inputsOf`
 */
export async function runRequest(
	call: DifyCall,
	user: string,
	tell?: (warning: string) => void,
): Promise<{ inputs: JsonRecord; files: DifyFileRef[]; user: string }> {
	const requested = await requestedFiles(call.context, call.parameters);
	const inputs = await inputsOf(call, tell);
	const app = requested.length === 0 ? {} : await call.appParameters();
	const files = acceptedFiles(requested, appFileRules(app), app);
	const upload = uploadOf(call.client, user);
	return { inputs: await inputs(upload), files: await upload(files), user };
}

/** Error for a run that waits for a person, where that is not requested. */
export function pausedError(app: 'chatflow' | 'workflow', result: RunResult): ServerError {
	const titles = result.pause?.forms.flatMap(({ nodeTitle }) => nodeTitle ?? []) ?? [];
	return difyFailure('runFailed', {
		status: 200,
		message: `The ${app} waits for a person${titles.length === 0 ? '' : ` (${titles.join(', ')})`}`,
		remedy:
			'Answer the form in Dify, or set "When Workflow Pauses" to Return What There Is and answer the forms in the item with Dify Workflow, resource Form.',
		result,
		retryable: false,
	});
}
