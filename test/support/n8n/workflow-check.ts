/**
 * Static checks of example workflows. The quick tests use them with this package's node descriptions, the end-to-end tests
 * with all descriptions of the real n8n.
 */
import { NodeHelpers } from 'n8n-workflow';
import type {
	INodeParameters,
	INodeProperties,
	INodePropertyCollection,
	INodePropertyOptions,
	INodeTypeDescription,
} from 'n8n-workflow';

import type { Workflow, WorkflowNode } from '../../../scripts/lib/types';

export type Description = Pick<INodeTypeDescription, 'name' | 'properties'> &
	Partial<INodeTypeDescription>;

/** Fields that n8n adds to a node when an agent uses it as a tool (n8n, tool-generation/ai-tools.ts). */
const TOOL_FIELDS = ['descriptionType', 'toolDescription'];
/** Sizes of nodes on n8n's canvas (CanvasNodeDefault.vue), with two lines of name below. */
const NAME_HEIGHT = 44;
const SIZES = { plain: [96, 96], root: [256, 96], sub: [80, 80] } as const;
const GRID = 16;
/** The canvas of n8n in a window of 1440 × 900. */
const CANVAS = { width: 1399, height: 799 };
/** n8n shows a workflow with this margin when it is opened. */
const MARGIN = 1.2;
/** Below it, the text of notes is smaller than 10 pixels. */
const SMALLEST_ZOOM = 0.7;
/** Keys in the formats of known services, and Authorization values. */
const SECRETS =
	/\b(?:sk-[\w-]{16,}|app-\w{16,}|dataset-\w{16,}|ghp_\w{16,}|Bearer\s+[\w.-]{8,}|eyJ[\w-]{16,}\.)/;

interface Box {
	name: string;
	isSticky: boolean;
	left: number;
	top: number;
	right: number;
	bottom: number;
}

/**
 * Parameters that the node does not have, that it hides with these values, or whose value is not an option.
 */
export function parameterProblems(node: WorkflowNode, description: Description): string[] {
	const nodeType = description as INodeTypeDescription;
	const own = Object.fromEntries(
		Object.entries(node.parameters).filter(
			([name]) => !TOOL_FIELDS.includes(name) || has(description.properties, name),
		),
	);
	const root =
		NodeHelpers.getNodeParameters(
			description.properties,
			own as INodeParameters,
			true,
			false,
			node,
			nodeType,
		) ?? {};

	const walk = (
		properties: readonly INodeProperties[],
		values: Record<string, unknown>,
		shownWith: INodeParameters,
		path: string,
	): string[] =>
		Object.entries(values).flatMap(([name, value]) => {
			const parameterPath = `${path}${name}`;
			const candidates = properties.filter((property) => property.name === name);
			if (candidates.length === 0) return [`has no parameter "${parameterPath}"`];
			const property = candidates.find((one) =>
				NodeHelpers.displayParameter(shownWith, one, node, nodeType, root),
			);
			if (property === undefined)
				return [`does not show the parameter "${parameterPath}" with the other settings`];
			if (isExpression(value)) return [];
			if (property.type === 'options') return unknownOptions(property, [value], parameterPath);
			if (property.type === 'multiOptions')
				return unknownOptions(property, Array.isArray(value) ? value : [value], parameterPath);
			if (property.type === 'resourceLocator') return unknownMode(property, value, parameterPath);
			if (property.type !== 'collection' && property.type !== 'fixedCollection') return [];
			if (!isObject(value)) return [`wants an object as "${parameterPath}"`];
			if (property.type === 'collection')
				return walk(
					(property.options ?? []) as INodeProperties[],
					value,
					value as INodeParameters,
					`${parameterPath}.`,
				);
			return Object.entries(value).flatMap(([group, entries]) => {
				const known = ((property.options ?? []) as INodePropertyCollection[]).find(
					(one) => one.name === group,
				);
				if (known === undefined) return [`has no parameter "${parameterPath}.${group}"`];
				return (Array.isArray(entries) ? entries : [entries]).flatMap((entry: unknown, index) =>
					isObject(entry)
						? walk(
								known.values,
								entry,
								NodeHelpers.getNodeParameters(
									known.values,
									entry as INodeParameters,
									true,
									false,
									node,
									nodeType,
									{
										nodeValuesRoot: root,
									},
								) ?? {},
								`${parameterPath}.${group}[${index}].`,
							)
						: [`wants an object as "${parameterPath}.${group}"`],
				);
			});
		});
	return walk(description.properties, own, root, '');
}

/** Nodes and notes that overlap, are off the grid, or too far apart for notes to be readable. A note may contain whole nodes. */
export function layoutProblems(workflow: Workflow): string[] {
	const boxes = workflow.nodes.map((node) => boxOf(node, workflow));
	const offGrid = workflow.nodes
		.filter(({ position }) => position.some((at) => at % GRID !== 0))
		.map(
			({ name, position }) => `"${name}" at ${position.join(', ')} is beside the grid of ${GRID}`,
		);
	const overlaps = boxes.flatMap((one, index) =>
		boxes
			.slice(index + 1)
			.filter((other) => overlap(one, other) && !frames(one, other) && !frames(other, one))
			.map((other) => `"${one.name}" overlaps "${other.name}"`),
	);
	const width =
		Math.max(...boxes.map(({ right }) => right)) - Math.min(...boxes.map(({ left }) => left));
	const height =
		Math.max(...boxes.map(({ bottom }) => bottom)) - Math.min(...boxes.map(({ top }) => top));
	const zoom = Math.min(CANVAS.width / width, CANVAS.height / height) / MARGIN;
	const tooLarge = `is so large that its notes cannot be read: ${width} × ${height}`;
	return [...offGrid, ...overlaps, ...(zoom < SMALLEST_ZOOM ? [tooLarge] : [])];
}

/** Data of the n8n instance where the workflow was created. */
export function privateProblems(workflow: Workflow): string[] {
	const secret = SECRETS.exec(JSON.stringify(workflow));
	return [
		...workflow.nodes
			.filter(({ credentials }) => credentials !== undefined)
			.map(({ name }) => `"${name}" holds a credential`),
		...(Object.keys(workflow.pinData ?? {}).length > 0 ? ['contains pinned data'] : []),
		...['id', 'versionId', 'staticData', 'shared', 'tags', 'active']
			.filter((key) => workflow[key] !== undefined)
			.map((key) => `holds "${key}" of the n8n it was made in`),
		...(isObject(workflow.meta) && workflow.meta.instanceId !== undefined
			? ['holds the id of the n8n it was made in']
			: []),
		...(secret === null ? [] : [`holds what looks like a key: ${secret[0].slice(0, 12)}…`]),
	];
}

/** Duplicate names, connections to missing nodes, and unconnected nodes. */
export function wiringProblems(workflow: Workflow): string[] {
	const names = workflow.nodes.map(({ name }) => name);
	const ids = workflow.nodes.map(({ id }) => id);
	const links = Object.entries(workflow.connections).flatMap(([from, kinds]) =>
		Object.values(kinds).flatMap((outputs) =>
			outputs.flatMap((targets) => (targets ?? []).map(({ node }) => ({ from, node }))),
		),
	);
	const connected = new Set(links.flatMap(({ from, node }) => [from, node]));
	const mentioned = [...JSON.stringify(workflow.nodes).matchAll(/\$\(\\?["'](.+?)\\?["']\)/g)].map(
		(match) => match[1]!,
	);
	return [
		...findDuplicates(names).map((name) => `has two nodes "${name}"`),
		...findDuplicates(ids).map((id) => `has two nodes with the id ${id}`),
		...[...connected]
			.filter((name) => !names.includes(name))
			.map((name) => `connects "${name}", which does not exist`),
		...mentioned
			.filter((name) => !names.includes(name))
			.map((name) => `reads $('${name}'), which does not exist`),
		...(names.length > 1
			? workflow.nodes
					.filter(({ name, type }) => !isSticky(type) && !connected.has(name))
					.map(({ name }) => `leaves "${name}" unconnected`)
			: []),
		...(workflow.nodes.some(({ type }) => isSticky(type)) ? [] : ['has no sticky note']),
	];
}

const isSticky = (type: string) => type === 'n8n-nodes-base.stickyNote';
const isObject = (value: unknown): value is Record<string, unknown> =>
	typeof value === 'object' && value !== null && !Array.isArray(value);
const isExpression = (value: unknown) => typeof value === 'string' && value.startsWith('=');
const has = (properties: readonly INodeProperties[], name: string) =>
	properties.some((property) => property.name === name);
const findDuplicates = (values: string[]) => [
	...new Set(values.filter((value, index) => values.indexOf(value) !== index)),
];

function unknownOptions(property: INodeProperties, values: unknown[], place: string): string[] {
	// Options that n8n loads from a service are unknown here.
	if (
		property.typeOptions?.loadOptionsMethod !== undefined ||
		property.typeOptions?.loadOptions !== undefined
	)
		return [];
	const known = ((property.options ?? []) as INodePropertyOptions[]).map(({ value }) => value);
	return values
		.filter((value) => !known.includes(value as INodePropertyOptions['value']))
		.map((value) => `does not know ${JSON.stringify(value)} for "${place}"`);
}

function unknownMode(property: INodeProperties, value: unknown, place: string): string[] {
	if (!isObject(value) || value.__rl !== true) return [`wants a resource locator as "${place}"`];
	return property.modes?.some(({ name }) => name === value.mode) === true
		? []
		: [`has no mode ${JSON.stringify(value.mode)} for "${place}"`];
}

function boxOf(
	{ name, type, position: [left, top], parameters }: WorkflowNode,
	{ connections }: Workflow,
): Box {
	if (isSticky(type)) {
		const { width = 240, height = 160 } = parameters as { width?: number; height?: number };
		return { name, isSticky: true, left, top, right: left + width, bottom: top + height };
	}
	const kinds = Object.keys(connections[name] ?? {});
	const isSub = kinds.length > 0 && !kinds.includes('main');
	const isRoot = Object.values(connections).some((outputs) =>
		Object.entries(outputs).some(
			([kind, targets]) =>
				kind !== 'main' && targets.some((list) => list?.some(({ node }) => node === name)),
		),
	);
	const [width, height] = SIZES[isSub ? 'sub' : isRoot ? 'root' : 'plain'];
	// The name of a root node is inside its box.
	return {
		name,
		isSticky: false,
		left,
		top,
		right: left + width,
		bottom: top + height + (isRoot ? 0 : NAME_HEIGHT),
	};
}

const overlap = (one: Box, other: Box) =>
	one.left < other.right &&
	other.left < one.right &&
	one.top < other.bottom &&
	other.top < one.bottom;
const frames = (outer: Box, inner: Box) =>
	outer.isSticky &&
	!inner.isSticky &&
	outer.left <= inner.left &&
	outer.top <= inner.top &&
	outer.right >= inner.right &&
	outer.bottom >= inner.bottom;
