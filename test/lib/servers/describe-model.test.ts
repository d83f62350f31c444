/** Models as lines of a drop-down. */
import path from 'node:path';
import { describeModel } from '../../../lib/servers/describe-model';
import type { ServerModel } from '../../../lib/servers/server-model';
import { expectApproved } from '../../support/approved/approved-table';

const FACTS: ReadonlyArray<Partial<ServerModel>> = [
	{},
	{ parameters: 8_190_000_000 },
	{ parameters: 999_499_999 },
	{ parameters: 1_000_000_000 },
	{ parameters: '8x7B' },
	{ quantization: 'Q4_K_M' },
	{ context: 0 },
	{ context: 512 },
	{ context: 1_023 },
	{ context: 1_024 },
	{ context: 131_072 },
	{ context: 5_000 },
	{ vision: true, audio: true, video: true },
	{ vision: false, video: true },
	{ state: 'unloaded' },
	{ state: 'loaded' },
	{ state: 'failed' },
	{ remoteHost: 'gpu-2' },
	{
		parameters: 8_190_000_000,
		quantization: 'Q4_K_M',
		context: 32_768,
		vision: true,
		state: 'loaded',
		remoteHost: 'gpu-2',
	},
];

test('each model has its line', () => {
	const rows = FACTS.map((facts) => ({
		input: JSON.stringify(facts),
		outcome: describeModel({ id: 'qwen3', ...facts } as ServerModel),
	}));
	const named = {
		input: 'with a name',
		outcome: describeModel({ id: 'a', quantization: 'Q8_0' } as ServerModel, 'My model'),
	};
	expectApproved(
		path.join(__dirname, 'describe-model.approved.txt'),
		[...rows, named],
		'A model is a line that says what it is',
	);
});
