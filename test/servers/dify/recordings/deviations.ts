import type { RecordedVersion } from '../../../support/dify-recordings';

const because = (reason: string, names: string[]): Record<string, string> =>
	Object.fromEntries(names.map((name) => [name, reason]));

/** Cases where the simulator deviates, by name, with the reason. The list may only become shorter. */
export const DEVIATIONS: Record<RecordedVersion, Record<string, string>> = {
	'1.12.1': {
		'wf-stop-finished-detail':
			'the record of a run without an end node has no outputs; here it has empty ones',
		'wf-stop-iter-detail':
			'a stop that Dify told as a failure is stored as stopped; here the record of a stop stays running',
		'trigger-logs': 'runs that a trigger of Dify started are not simulated',
	},
	'1.14.2': {
		'human-flow-follow':
			'the node of a form fails on a number in place of text; here it is answered',
		'human-wf2-follow2':
			'a run that pauses at one form after the other: only one form is built from a recording',
		'human-wf2-submit':
			'a run that pauses at one form after the other: only one form is built from a recording',
		'human-wf2-submit2':
			'a run that pauses at one form after the other: only one form is built from a recording',
		'wf-detail-upper': 'Dify finds a run by its ID in capitals; the node sends small letters',
		'wf-in-file-custom': 'the name of an uploaded file is not recorded',
		'wf-no-model-blocking': 'an app whose model is missing is not simulated',
		'wf-stop-http-sleep-detail':
			'the record of a stopped run, once its node has ended; here it stays running',
		'wf-stop-parallel-detail':
			'the record of a stopped run, once its node has ended; here it stays running',
		'human-form-get-unknown':
			'which routes are proposed for an unknown form depends on how similar their names are to the token',
	},
	'1.16.0': {
		...because(
			'the end of the stream is another run than its beginning: only one is built from a recording',
			[...['human-flow-follow', 'human-wf-follow', 'human-wf2-follow', 'human-wf-events-after']],
		),
		...because(
			'the app was imported, not saved in the editor, which stores more fields of its files',
			[
				...[
					'parameters-agent',
					'parameters-chat',
					'parameters-completion',
					'parameters-flow',
					'parameters-workflow',
				],
				'newagent-parameters',
			],
		),
		...because('the words of PostgreSQL, since the recorded server keeps its vectors there', [
			...[
				'ds-ret-emptybase',
				'ds-ret-emptybase-after-update',
				'ds-ret-eco-default',
				'ds-ret-eco-semantic_search',
			],
		]),
		...because('how a full text search splits words is not simulated', [
			'ds-ret-hq-full_text_search',
		]),
		...because('the recording keeps 3,000 bytes of what was sent', [
			...['ds-file-big', 'stt-big', 'upload-big', 'upload-big-image'],
		]),
		...because('a list with a base of external knowledge in it, whose service is not simulated', [
			...['ds-list', 'ds-list-2', 'ds-list-4'],
		]),
		...because('other routes that the framework proposes with a 404', [
			...['ds-file-unknownds', 'ds-text-unknownds', 'human-form-get-unknown'],
		]),
		...because('other words for the same refusal', [
			'ds-ret-filter-bad-op',
			'ds-text-badform',
			'ds-seg-create-empty',
		]),
		...because('which models a workspace has, and what they tell of themselves', [
			...[
				'models-dataset-key',
				'models-dataset-key-2',
				'ds-ret-rerank-badmodel',
				'newagent-no-backend',
			],
		]),
		...because('who changed a chunk last is not simulated', ['ds-seg-disable', 'ds-seg-update']),
		...because('the document that was made in between is not in the recording', [
			...['ds-masked-get-after-doc', 'ds-masked-repair'],
		]),
		'cm-stop': 'the stream of a completion that was stopped from outside; here it goes on',
		'conv14-unknown-agent-blocking': 'the conversation is looked for before the mode is',
		'file-preview-attachment': 'the name of an uploaded file is not recorded',
		'flow-vars-put-bool': 'a truth value for a number is taken as 1',
		'tts-emptytext': 'a crash below the framework: an HTML page',
		'wf-detail-upper': 'Dify finds a run by its ID in capitals; the node sends small letters',
		'wf-in-file-other-user': 'a file is looked at before the fields that are missing',
		'wf-logs-account-unknown': 'who has an account in the workspace is not recorded',
	},
};
