/** SGLang's model gateway in front of a real llama-server. */
import { describeWith } from '../support/describe-with';
import { startBehind, testGateway } from './support/gateway-suite';
import { freePort, parts, startPythonServer } from './support/servers';

const { llamaServerProblem, miniLm, miniLmProblem, smolLm2, smolLm2Problem, python } = parts();

describeWith(
	python.sglangGateway.problem ?? llamaServerProblem ?? miniLmProblem ?? smolLm2Problem,
	"SGLang's gateway before llama-server",
	() => {
		testGateway(
			{
				kind: 'sglangGateway',
				label: "SGLang's gateway",
				missingModel: 'the server behind the gateway',
				// Anyone may read its list.
				findings: ['keyNotChecked'],
				wrongKeyFindings: ['keyNotChecked'],
			},
			async () => {
				const behind = await startBehind({ embedding: miniLm!.embedding, slow: smolLm2! });
				const port = String(await freePort());
				return await startPythonServer('sglangGateway', [
					...['--worker-urls', behind],
					...['--prometheus-port', port],
				]);
			},
		);
	},
);
