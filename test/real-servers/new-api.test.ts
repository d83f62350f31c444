/** New API in front of a real llama-server. */
import { describeWith } from '../support/describe-with';
import { CHAT, EMBED, KEY, SLOW, startBehind, testGateway } from './support/gateway-suite';
import { parts, startNewApi } from './support/servers';

const { llamaServerProblem, miniLm, miniLmProblem, newApiProblem, smolLm2, smolLm2Problem } =
	parts();

describeWith(
	newApiProblem ?? llamaServerProblem ?? miniLmProblem ?? smolLm2Problem,
	'New API before llama-server',
	() => {
		testGateway(
			{ kind: 'newApi', label: 'New API or One API', missingModel: 'to a channel in the gateway' },
			async () => {
				const url = await startBehind({ embedding: miniLm!.embedding, slow: smolLm2! });
				return await startNewApi({ url, key: KEY, models: [CHAT, EMBED, SLOW] });
			},
		);
	},
);
