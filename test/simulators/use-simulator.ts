import { closePools } from '../../lib/http/dispatcher';

interface Running {
	close(): Promise<void>;
}

/**
 * Call at the top of a suite: wraps a simulator's start function so that each test's simulators are closed after it, after
 * the package's own connections.
 *
 *     const startServer = useSimulator(startLlamaServerSim);
 */
export function useSimulator<Options extends unknown[], Sim extends Running>(
	start: (...options: Options) => Promise<Sim>,
): (...options: Options) => Promise<Sim> {
	const running: Sim[] = [];
	afterEach(async () => {
		await closePools();
		await Promise.all(running.splice(0).map(async (sim) => await sim.close()));
	});
	return async (...options) => {
		const sim = await start(...options);
		running.push(sim);
		return sim;
	};
}
