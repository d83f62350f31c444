/** Runs Local Llama in a separate process, which Node starts with NODE_EXTRA_CA_CERTS: `node child.cjs <url>`. */
import process from 'node:process';
import { failureOf, run } from './node-runner';

const [, , url = ''] = process.argv;

async function vectorOrFailure(): Promise<unknown> {
	const work = run(url, 'vector:embed', { parameters: { text: 'a' } });
	const outcome = await work.catch(async () => await failureOf(work));
	return Array.isArray(outcome) ? outcome[0]!.json.output : outcome.context.data;
}

void vectorOrFailure().then((result) => process.stdout.write(JSON.stringify(result)));
