/** Olla, a load balancer, in front of a real llama-server. */
import { describeWith } from '../support/describe-with';
import { CHAT, EMBED, KEY, SLOW, startBehind, testGateway } from './support/gateway-suite';
import { parts, startOlla } from './support/servers';

const { llamaServerProblem, miniLm, miniLmProblem, smolLm2, smolLm2Problem, ollaProblem } = parts();

describeWith(
	ollaProblem ?? llamaServerProblem ?? miniLmProblem ?? smolLm2Problem,
	'Olla before llama-server',
	() => {
		testGateway(
			{
				kind: 'olla',
				label: 'Olla',
				passesOnAll: true,
				missingModel: 'a server behind Olla',
				findings: ['keyNotChecked'],
				wrongKeyFindings: ['keyNotChecked'],
			},
			async () => {
				const url = await startBehind({ embedding: miniLm!.embedding, slow: smolLm2! });
				return await startOlla({ url, key: KEY, models: [CHAT, EMBED, SLOW] });
			},
		);
	},
);
