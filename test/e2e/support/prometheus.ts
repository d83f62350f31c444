/** The real Prometheus, where the machine has one (Debian: `prometheus`; or `LOCAL_LLAMA_PROMETHEUS` names it). */
import { childProcess, fs, path, process } from '../../support/node';
import { monitoringFile } from '../../support/monitoring';
import { until } from './until';

export interface Prometheus {
	/** The number of series that a query gives. @throws where it is no query */
	series(query: string): Promise<number>;
	stop(): Promise<void>;
}

/** Undefined where there is none. */
export function prometheusProgram(): string | undefined {
	const folders = (process.env.PATH ?? '').split(path.delimiter);
	const named = process.env.LOCAL_LLAMA_PROMETHEUS;
	const programs = [
		...(named ? [named] : []),
		...folders.map((one) => path.join(one, 'prometheus')),
	];
	return programs.find((program) => fs.existsSync(program));
}

/**
 * Starts it with the configuration and the rules of docs/monitoring.
 *
 * @param addresses those of the targets in place of the containers'
 */
export async function startPrometheus(
	program: string,
	folder: string,
	port: number,
	addresses: Readonly<Record<string, string>>,
): Promise<Prometheus> {
	const config = Object.entries(addresses).reduce(
		(text, [container, address]) => text.replace(container, address),
		monitoringFile('prometheus.yaml').replaceAll('15s', '1s'),
	);
	fs.writeFileSync(path.join(folder, 'prometheus.yaml'), config);
	fs.writeFileSync(path.join(folder, 'rules.yaml'), monitoringFile('rules.yaml'));
	const child = childProcess.spawn(
		program,
		[
			`--config.file=${path.join(folder, 'prometheus.yaml')}`,
			`--storage.tsdb.path=${path.join(folder, 'data')}`,
			`--web.listen-address=127.0.0.1:${port}`,
		],
		{ stdio: 'ignore' },
	);
	const url = `http://127.0.0.1:${port}`;
	const isReady = async () =>
		await fetch(`${url}/-/ready`).then(
			({ ok }) => ok,
			() => false,
		);
	await until(isReady, Boolean, 60_000);
	return {
		series: async (query) => {
			const response = await fetch(`${url}/api/v1/query?query=${encodeURIComponent(query)}`);
			const { data, error } = (await response.json()) as {
				data?: { result: unknown[] };
				error?: string;
			};
			if (data === undefined) throw new Error(`${query}: ${error}`);
			return data.result.length;
		},
		stop: async () => {
			const exited = new Promise((resolve) => child.once('exit', resolve));
			child.kill();
			await exited;
		},
	};
}
