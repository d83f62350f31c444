/** For tests of `overnight-batch`: a server that is killed, and a schedule that does not wait for the night. */
import { reply, startLlamaServerSim, type LlamaServerSim } from '../../simulators/llama-server';
import { example, type Wiring } from '../../e2e/support/examples';

/** Number of rows that the example processes at the same time. */
export const AT_ONCE = 4;
const MAX_GENERATIONS = 10_000;

/** A server of four slots that is killed and started again on the same port. */
export class NightServer {
	private sim: LlamaServerSim | undefined;
	private port: number | undefined;
	/** Number of chat requests, over all restarts. */
	generations = 0;
	private stopped = false;

	async start(): Promise<{ url: string }> {
		if (!this.stopped) this.sim = await startLlamaServerSim({ slots: AT_ONCE, port: this.port });
		const sim = this.sim!;
		this.port = sim.port;
		const answer = () => {
			this.generations++;
			return reply.text('Four bees live on the roof.', { tokenDelayMs: 20 });
		};
		sim.script(...Array.from({ length: MAX_GENERATIONS }, () => answer));
		return sim;
	}

	async kill(): Promise<void> {
		const killed = this.sim!;
		this.sim = undefined;
		await killed.close();
	}

	/** For good. */
	async stop(): Promise<void> {
		this.stopped = true;
		await this.sim?.close();
	}
}

/** Parameters of a node of the example, with one text in them replaced. */
function replaced(name: string, text: string, replacement: string): Record<string, unknown> {
	const { parameters } = example('overnight-batch').nodes.find((node) => node.name === name)!;
	const changed = JSON.stringify(parameters).replace(text, replacement);
	return JSON.parse(changed) as Record<string, unknown>;
}

/** Runs often, at any hour, and with a short wait after a kill. */
export const useShortIntervals = (): Wiring['change'] => {
	const often = { interval: [{ field: 'cronExpression', expression: '*/5 * * * * *' }] };
	return {
		"From 22 to 6 o'clock": { rule: often },
		'Rows under way': replaced('Rows under way', 'minutes: 10', 'seconds: 8'),
		'Continue?': replaced('Continue?', '$now.hour >= 22', 'true'),
	};
};
