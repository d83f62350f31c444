import type { RecordedCase, RecordedVersion } from '../../../support/dify-recordings';
import type { HttpFixture } from '../../../support/streams';
import { appKey, startDifySim, type DifySim } from '../../dify';
import type { AppSpec, SimApp } from '../types';
import { DEVIATIONS } from './deviations';
import { recordedApp } from './apps';
import { described, sceneOf, scriptOf } from './scene';
import { pastRun } from './past-run';
import { records } from './state';

const SIMULATED = { '1.12.1': '1.12', '1.14.2': '1.14', '1.16.0': '1.16' } as const;

/** A simulator in the state of the recorded server at the request. */
export interface Prepared {
	sim: DifySim;
	/** The user stops the run after so many events. */
	stopAfter?: number;
}

export async function prepare(
	version: RecordedVersion,
	recorded: RecordedCase,
	answer: HttpFixture,
): Promise<Prepared> {
	const scene = sceneOf(version, recorded, answer);
	const { script, stopAfter } = scriptOf(scene);
	const app: AppSpec = {
		...recordedApp(version, recorded, appKey(recorded.app)),
		...described(scene),
	};
	if (script !== undefined) app.reply = () => script;
	const sim = await startDifySim({
		version: SIMULATED[version],
		apps: [app, { mode: 'chat', key: appKey('chat').replace('Sim', 'Two') }],
		front: 'none',
		blockedExtensions: version === '1.16.0' ? [] : ['exe'],
		filesUrl: 'http://127.0.0.1:15001',
	});
	// These only have to differ somehow.
	if (recorded.name in DEVIATIONS[version]) sim.stream = { idleLimitMs: 20 };
	// Cases that Dify ended after five minutes of silence.
	else if (/^idle300|^workerdown|^n8n-flow-annotation/.test(recorded.name))
		sim.stream = { endsWhenSilent: true };
	if (/workerdown/.test(recorded.name) && !/blocking/.test(recorded.name))
		sim.store.worker = 'down';
	records(scene, sim, sim.store.apps[0] as SimApp);
	await pastRun(scene, sim, sim.store.apps[0] as SimApp);
	return { sim, stopAfter };
}
