/**
 * Compares the simulator with recordings of real Dify servers: each recorded request is sent to a simulator in the same
 * state, and the answers are compared: status, headers, kinds of values, error texts, JSON formatting, and the order and
 * number of events.
 */
import {
	recordedAnswer,
	recordedCases,
	RECORDED_VERSIONS,
	type RecordedVersion,
} from '../support/dify-recordings';
import { differences, eventsOf } from './dify/recordings/compare';
import { prepare } from './dify/recordings/setup';
import { send } from './dify/recordings/send';
import { DEVIATIONS } from './dify/recordings/deviations';

async function compare(version: RecordedVersion, name: string): Promise<string[]> {
	const recorded = recordedCases(version).find((each) => each.name === name);
	if (recorded === undefined) throw new Error(`No case ${name}`);
	const answer = recordedAnswer(version, name);
	const prepared = await prepare(version, recorded, answer);
	try {
		const leaveAfter = recorded.ended === undefined ? undefined : eventsOf(answer.body).length;
		return differences(answer, await send(prepared, recorded, leaveAfter));
	} finally {
		await prepared.sim.close();
	}
}

describe.each(RECORDED_VERSIONS)('Dify %s', (version) => {
	const names = recordedCases(version).map(({ name }) => name);
	const known = DEVIATIONS[version];

	test.each(names.filter((name) => !(name in known)))('%s', async (name) => {
		expect(await compare(version, name)).toEqual([]);
	});

	// A deviation that no longer exists must be removed from the list.
	if (Object.keys(known).length > 0) {
		test.each(Object.entries(known))('%s still differs: %s', async (name) => {
			expect(await compare(version, name)).not.toEqual([]);
		});
	}

	test(`${names.length - Object.keys(known).length} of ${names.length} recorded answers match`, () => {
		expect(Object.keys(known).filter((name) => !names.includes(name))).toEqual([]);
	});
});
