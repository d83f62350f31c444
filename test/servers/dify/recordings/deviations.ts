import type { RecordedVersion } from '../../../support/dify-recordings';

/** Recorded answers that the simulator does not give, each with the reason. The list may only become shorter. */
export const DEVIATIONS: Record<RecordedVersion, Record<string, string>> = {
	'1.12.1': {
		'wf-stop-finished-detail': 'the record of a run without an end node has no outputs; here it has empty ones',
		'wf-stop-iter-detail':
			'a stop that Dify told as a failure is stored as stopped; here the record of a stop stays running',
		'trigger-logs': 'runs that a trigger of Dify started are not simulated',
	},
	'1.14.2': {
		'human-flow-follow': 'the node of a form fails on a number in place of text; here it is answered',
		'human-wf2-follow2': 'a run that pauses at one form after the other: only one form is built from a recording',
		'human-wf2-submit': 'a run that pauses at one form after the other: only one form is built from a recording',
		'human-wf2-submit2': 'a run that pauses at one form after the other: only one form is built from a recording',
		'wf-detail-upper': 'Dify finds a run by its ID in capitals; the node sends small letters',
		'wf-in-file-custom': 'the name of an uploaded file is not recorded',
		'wf-no-model-blocking': 'an app whose model is missing is not simulated',
		'wf-stop-http-sleep-detail': 'the record of a stopped run, once its node has ended; here it stays running',
		'wf-stop-parallel-detail': 'the record of a stopped run, once its node has ended; here it stays running',
		'human-form-get-unknown':
			'which routes are proposed for an unknown form depends on how similar their names are to the token',
	},
};
