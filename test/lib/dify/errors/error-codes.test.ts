import { DIFY_CODES } from '../../../../lib/dify/errors/error-codes';
import {
	describeDifyFailure,
	describeRunError,
	type DifyFailure,
} from '../../../../lib/dify/errors/classify';
import type { DifyKind } from '../../../../lib/errors/kinds';
import { remedyFor } from '../../../../lib/errors/remedies';

function json(status: number, code: string, message: unknown = 'text'): DifyFailure {
	return describeDifyFailure({
		status,
		body: JSON.stringify({ code, message, status }),
		contentType: 'application/json',
	});
}

describe('the table of codes', () => {
	test.each(Object.entries(DIFY_CODES))('%s is %s, with a remedy', (code, kind) => {
		const failure = json(400, code, 'Some text.');
		expect(failure).toEqual({
			code,
			status: 400,
			kind,
			serverText: 'Some text.',
			retryable: kind === 'tooManyRequests',
		});
		expect(remedyFor(kind, { service: 'dify' }).remedy.length).toBeGreaterThan(20);
	});

	const TEXTS: Array<[number, string, string, DifyKind]> = [
		[400, 'invalid_param', 'Arg user must be provided.', 'missingUser'],
		[
			400,
			'invalid_param',
			'Too many requests. Please try again later. The current maximum …',
			'tooManyRequests',
		],
		[400, 'invalid_param', 'Agent Chat App does not support blocking mode', 'streamingRequired'],
		[400, 'bad_request', 'Agent App only supports streaming response mode.', 'streamingRequired'],
		[400, 'invalid_param', 'Workflow not published', 'notPublished'],
		[400, 'invalid_param', 'query is required', 'emptyQuery'],
		[400, 'invalid_param', "(type 'text-input') name in input form must be a string", 'inputs'],
		[400, 'invalid_param', "Invalid input type for ['name']", 'inputs'],
		[400, 'invalid_param', 'Invalid upload file id format', 'fileRejected'],
		[400, 'invalid_param', "No matching enum found for value 'x'", 'fileRejected'],
		[400, 'invalid_param', 'Number of image files exceeds the maximum limit 3', 'fileRejected'],
		[
			400,
			'invalid_param',
			'Detected file type does not match the specified type. Please verify the file.',
			'fileRejected',
		],
		[
			400,
			'invalid_param',
			"File extension '.exe' is not allowed for security reasons",
			'fileRejected',
		],
		[400, 'invalid_param', 'Run failed: boom', 'runFailed'],
		[400, 'invalid_param', 'rating cannot be None when feedback not exists', 'nothingToRevoke'],
		[400, 'invalid_param', 'Speech to text is not enabled', 'featureOff'],
		[400, 'invalid_param', 'Tenant does not exist.', 'appUnusable'],
		[400, 'invalid_param', 'capacity must be a number', 'invalidParam'],
		[400, 'bad_request', "Invalid workflow_id format: 'x'. ", 'workflowVersion'],
		[
			400,
			'bad_request',
			'Cannot use draft workflow version. Workflow ID: draft',
			'workflowVersion',
		],
		[400, 'bad_request', 'Suggested Questions Is Disabled.', 'featureOff'],
		[
			400,
			'bad_request',
			"Type mismatch: variable 'x' expects string, but got number type",
			'invalidParam',
		],
		[400, 'bad_request', 'Form recipient type is invalid', 'formRejected'],
		[404, 'not_found', 'Conversation Not Exists.', 'conversationNotFound'],
		[404, 'not_found', 'Message Not Exists.', 'messageNotFound'],
		[404, 'not_found', 'Workflow not found with id: 1', 'workflowVersion'],
		[404, 'not_found', 'Workflow run not found.', 'runNotFound'],
		[404, 'not_found', 'Annotation not found', 'notFound'],
		[403, 'forbidden', "The app's API service has been disabled.", 'appDisabled'],
		[403, 'forbidden', 'The app no longer exists.', 'appUnusable'],
		[403, 'forbidden', "The workspace's status is archived.", 'appUnusable'],
		[403, 'forbidden', 'Dataset api access is not enabled.', 'knowledgeApiOff'],
		[
			403,
			'forbidden',
			'The number of documents has reached the limit of your subscription.',
			'planLimit',
		],
		[
			400,
			'invalid_param',
			'You have reached the limit of your subscription. Only 0 documents can be uploaded.',
			'planLimit',
		],
		[403, 'forbidden', 'Forbidden', 'forbidden'],
	];

	test.each(TEXTS)('%i %s "%s" is %s', (status, code, message, kind) => {
		expect(json(status, code, message)).toMatchObject({
			status,
			code,
			serverText: message.trim(),
			kind,
		});
	});

	test('the same texts without a code, as newer workers send them with status 500', () => {
		for (const [, code, message, kind] of TEXTS.filter(
			([, code]) => code === 'invalid_param' || code === 'not_found',
		)) {
			// What only the code tells is lost with it.
			if (kind === 'invalidParam') continue;
			const failure = describeRunError({ cause: 'errorEvent', status: 500, message });
			expect([code, failure.kind]).toEqual([
				code,
				kind === 'notFound' && code === 'not_found' ? 'serverError' : kind,
			]);
		}
	});

	test('errors of a run by their cause', () => {
		const kinds = (['runFailed', 'endedEarly', 'notFinished', 'cancelled', 'idle'] as const).map(
			(cause) => describeRunError({ cause, message: 'm' }).kind,
		);
		expect(kinds).toEqual([
			'runFailed',
			'streamEndedEarly',
			'streamEndedEarly',
			'cancelled',
			'timeout',
		]);
		const provider = describeRunError({
			cause: 'errorEvent',
			code: 'provider_quota_exceeded',
			status: 400,
			message: 'used up',
		});
		expect(provider).toMatchObject({
			kind: 'providerQuota',
			status: 400,
			serverText: 'used up',
			retryable: false,
		});
		expect(describeRunError({ cause: 'errorEvent', message: 'm' }).kind).toBe('unknown');
		const busy = describeRunError({
			cause: 'errorEvent',
			status: 500,
			message: 'Too many requests. Please try again later.',
		});
		expect(busy).toMatchObject({ kind: 'tooManyRequests', retryable: true });
	});
});
