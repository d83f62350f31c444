import { closeChannels } from '../../lib/http/dispatcher';

interface Running {
	close(): Promise<void>;
}

/**
 * For the top of a suite: makes of a simulator's start one that ends what it started after each test, behind the
 * connections that the package itself still holds.
 *
 *     const startServer = useSimulator(startLlamaServerSim);
 */
export function useSimulator<Options extends unknown[], Sim extends Running>(
	start: (...options: Options) => Promise<Sim>,
): (...options: Options) => Promise<Sim> {
	const running: Sim[] = [];
	afterEach(async () => {
		await closeChannels();
		await Promise.all(running.splice(0).map(async (sim) => await sim.close()));
	});
	return async (...options) => {
		const sim = await start(...options);
		running.push(sim);
		return sim;
	};
}
