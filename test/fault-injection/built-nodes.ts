/** The nodes of the package as n8n loads them, from `dist`. */
import type { INodeType } from 'n8n-workflow';

import { createRequire, fs, path, process } from '../support/node-builtins';
import type { NodeSet } from './operation';

/** Every node that `package.json` names. */
export function builtNodes(root = process.cwd()): NodeSet {
	const fromRoot = createRequire(path.join(root, 'package.json'));
	const { n8n } = JSON.parse(fs.readFileSync(path.join(root, 'package.json'), 'utf8')) as {
		n8n: { nodes: string[] };
	};
	return Object.fromEntries(
		n8n.nodes.map((file) => {
			const name = path.basename(file, '.node.js');
			const exported = fromRoot(`./${file}`) as Record<string, new () => INodeType>;
			return [name[0]!.toLowerCase() + name.slice(1), new exported[name]!()];
		}),
	);
}
