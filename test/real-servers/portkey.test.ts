/** Portkey's gateway in front of a real llama-server. */
import { describeWith } from '../support/describe-with';
import { startBehind, testGateway } from './support/gateway-suite';
import { parts, startPortkey } from './support/servers';

const { llamaServerProblem, miniLm, miniLmProblem, smolLm2, smolLm2Problem, portkeyProblem } =
	parts();

describeWith(
	portkeyProblem ?? llamaServerProblem ?? miniLmProblem ?? smolLm2Problem,
	'Portkey before llama-server',
	() => {
		testGateway(
			{ kind: 'portkey', label: 'Portkey', missingModel: 'the server behind Portkey' },
			async () => {
				const behind = await startBehind({ embedding: miniLm!.embedding, slow: smolLm2! });
				const headers = {
					'x-portkey-provider': 'openai',
					'x-portkey-custom-host': `${behind}/v1`,
				};
				return { ...(await startPortkey()), headers };
			},
		);
	},
);
