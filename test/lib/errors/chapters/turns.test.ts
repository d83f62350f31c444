/** Why a call in text did not run, and what helps at each server type. */
import path from 'node:path';
import { describeRejectedCall } from '../../../../lib/errors/chapters/turns';
import { SERVER_TYPES } from '../../../../lib/servers/types';
import type { RejectionReason } from '../../../../lib/rejected-call';
import { expectApproved, joinPlaces } from '../../../support/approved/approved-table';

const REASONS: readonly RejectionReason[] = [
	'noArguments',
	'brokenArguments',
	'notOnlyACall',
	'tooLarge',
	'ambiguous',
	'unreadText',
	'noEnd',
	'unknownSyntax',
	'unknownTool',
	'cutOff',
	'textAfter',
	'otherMarkup',
	'inCodeBlock',
	'tooManyCalls',
	'longResponse',
	'quotation',
	'notCompared',
	'otherCalls',
];

test('each reason has its sentence, and each server type its advice', () => {
	const outcomes = REASONS.flatMap((reason) =>
		Object.values(SERVER_TYPES).map((serverType) => ({
			subject: reason,
			place: serverType.name,
			outcome: describeRejectedCall({ name: 'look_up', reason }, serverType.name, {
				shownLength: 0,
			}),
		})),
	);
	const advice = outcomes.filter(({ subject }) => ['noArguments', 'cutOff'].includes(subject));
	const atOne = outcomes.filter(({ place }) => place === 'other');
	expectApproved(
		path.join(__dirname, 'turns.approved.txt'),
		[...joinPlaces(advice), ...atOne.map(({ subject, outcome }) => ({ input: subject, outcome }))],
		'A call that did not run is told with its reason and advice that fits the server',
	);
});
