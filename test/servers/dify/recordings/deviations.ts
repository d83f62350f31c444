import type { RecordedVersion } from '../../../support/dify-recordings';

const FOLLOWED = 'no node follows a run by this route yet; the simulator repeats its own events in place of a snapshot';

/** Recorded answers that the simulator does not give, each with the reason. The list may only become shorter. */
export const DEVIATIONS: Record<RecordedVersion, Record<string, string>> = {
	'1.12.1': {},
	'1.14.2': {
		'auth-dataset-ok': 'knowledge bases have only the fields that Server Health and the credential test read',
		'events-paused-snapshot': FOLLOWED,
		'events-paused-snapshot-continue': FOLLOWED,
		'human-flow-follow': FOLLOWED,
		'human-form-get-unknown':
			'which routes are proposed for an unknown form depends on how similar their names are to the token',
		'reattach-flow-plain': FOLLOWED,
		'reattach-flow-snapshot': FOLLOWED,
		'reattach-workflow-plain': FOLLOWED,
		'reattach-workflow-snapshot': FOLLOWED,
	},
};
