import { closePools } from '../../lib/http/dispatcher';

interface Running {
	/** Requests that must not be on their way at the same time. None at the end of a test. */
	overlaps?: readonly unknown[];
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
		const ended = running.splice(0);
		await Promise.all(ended.map(async (sim) => await sim.close()));
		expect(ended.flatMap(({ overlaps = [] }) => overlaps)).toEqual([]);
	});
	return async (...options) => {
		const sim = await start(...options);
		running.push(sim);
		return sim;
	};
}
