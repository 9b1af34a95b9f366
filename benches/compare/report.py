"""The tables: for README.md between its markers, and for the terminal with the project's aims."""

import statistics

import works

BEGIN, END = "<!-- performance -->", "<!-- /performance -->"
PRODUCTS = ["lakeveil", "lakeveil_synced"]
CLONED = "cloned hmac"


def median(tool):
    return statistics.median(tool["seconds"])


def seconds(tool):
    """The median, and what it is the median of."""
    runs = tool["seconds"]
    spread = f"{min(runs):.2f} to {max(runs):.2f}" if len(runs) > 1 else "one run"
    return f"{median(tool):.2f} s ({spread})"


def mebibytes(tool):
    return f"{tool['peak_bytes'] / 2**20:,.0f} MiB"


def base_name(name):
    """The run of Lakeveil that a tool is compared with: the one that syncs if the tool does."""
    return "lakeveil_synced" if works.TOOLS[name].syncs else "lakeveil"


def title(name, tool):
    return works.TOOLS[name].title.format(tool["version"])


def row(*cells):
    return "| " + " | ".join(cells) + " |"


def ratio(name, tool):
    """How the tool's time relates to Lakeveil's in the same run."""
    base = tool["base_seconds"]
    text = f"{median(tool) / base:.2f}"
    return f"{text} (Lakeveil's / copy's: {base / median(tool):.2f})" if name == "copy" else text


def comparison_rows(results):
    lines = [
        row("work", "tool", "median (fastest to slowest)", "time / Lakeveil's", "peak memory"),
        "|---|---|---|---|---|",
    ]
    for key, work in works.WORKS.items():
        measured = results["works"].get(key)
        if not measured or work.growth:
            continue
        size = f"{work.title}: {measured['rows'] / 1e6:g} M rows, {measured['input_bytes'] / 1e6:,.0f} MB"
        # Lakeveil, its peers from the fastest on, and the pair that syncs
        tools = measured["tools"]
        order = sorted(tools, key=lambda name: (works.TOOLS[name].syncs, name not in PRODUCTS, median(tools[name])))
        for position, name in enumerate(order):
            tool = tools[name]
            said = "" if name in PRODUCTS else ratio(name, tool)
            if said and tool["session"] != tools[base_name(name)]["session"]:
                said += f" (measured apart, Lakeveil: {tool['base_seconds']:.2f} s)"
            lines.append(
                row(
                    "" if position else size,
                    title(name, tool),
                    seconds(tool),
                    said,
                    "" if name == "copy" else mebibytes(tool),
                )
            )
    return lines


def growth_sizes(results, output):
    """What was measured with outputs to DISK or MEMORY, each with its one tool, from the smallest object on."""
    keys = [key for key, work in works.WORKS.items() if work.growth == output and key in results["works"]]
    return [(results["works"][key], *results["works"][key]["tools"].values()) for key in keys]


def growth_rows(results):
    lines = [
        row(
            f"{measured['rows'] / 1e6:g} M rows, {measured['input_bytes'] / 1e6:,.0f} MB",
            output,
            seconds(tool),
            f"{median(tool) / measured['rows'] * 1e6:.2f} s",
            mebibytes(tool),
        )
        for output in (works.DISK, works.MEMORY)
        for measured, tool in growth_sizes(results, output)
    ]
    if not lines:
        return []
    return [
        "",
        row("one object of", "output to", "median (fastest to slowest)", "for 1 M rows", "peak memory"),
        "|---|---|---|---|---|",
        *lines,
    ]


def kernel_times(results):
    """Nanoseconds for a value, by what the values are and by who signs them."""
    times = {}
    for kernel in results.get("kernels", {}).get("benches", []):
        group, _, tool = kernel["name"].rpartition("/")
        times.setdefault(group.rpartition(", ")[2], {})[tool] = 1e9 / kernel["values_per_s"]
    return times


def kernel_rows(results):
    times = kernel_times(results)
    if not times:
        return []
    tools = list(dict.fromkeys(tool for group in times.values() for tool in group))
    heads = [tool if tool == CLONED else f"{tool} (faster by)" for tool in tools]

    def cell(group, tool):
        if tool not in group:
            return ""
        return f"{group[tool]:.0f} ns" + ("" if tool == CLONED else f" ({group[CLONED] / group[tool]:.2f})")

    lines = [row(values, *(cell(group, tool) for tool in tools)) for values, group in times.items()]
    return ["", row("HMAC-SHA256 of a value, one thread", *heads), "|---" * (len(tools) + 1) + "|", *lines]


def header(results):
    """Machines and dates; more than one if works were measured apart."""
    used = {tool["session"] for work in results["works"].values() for tool in work["tools"].values()}
    places = {}
    for session in sorted(used):
        places.setdefault(results["sessions"][session]["machine"], []).append(session[:10])
    return [f"{', '.join(dict.fromkeys(dates))}: {place}." for place, dates in places.items()]


def markdown(results):
    return "\n".join([*header(results), "", *comparison_rows(results), *growth_rows(results), *kernel_rows(results)])


def write(readme, text):
    """Puts the text between the markers of a README."""
    before, found, rest = readme.read_text().partition(BEGIN)
    _, ended, after = rest.partition(END)
    if not found or not ended:
        raise ValueError(f"{readme.name} has no {BEGIN} … {END}")
    readme.write_text(f"{before}{BEGIN}\n{text}\n{END}{after}")


def aims(results):
    """Lines that say what the project wants, what came out, and whether that is enough."""
    lines = []

    def judge(what, value, text, met):
        lines.append(f"{'met   ' if met else 'missed'}  {what}: {value} (aim: {text})")

    for key, work in works.WORKS.items():
        tools = results["works"].get(key, {"tools": {}})["tools"]
        peers = [name for name in tools if not works.TOOLS[name].syncs and name != "lakeveil"]
        times = {name: median(tools[name]) / tools[name]["base_seconds"] for name in peers}
        if work.peer_aim and times:
            fastest = min(times, key=times.get)
            judge(
                f"{work.title}, against the fastest peer, {title(fastest, tools[fastest])}",
                f"{times[fastest]:.2f} times as fast",
                f"{work.peer_aim:g}",
                times[fastest] >= work.peer_aim,
            )
        if work.spark_aim and "pyspark" in times:
            value = times["pyspark"]
            judge(
                f"{work.title}, against Spark",
                f"{value:.2f} times as fast",
                f"{work.spark_aim:g}",
                value >= work.spark_aim,
            )
        if work.copy_aim and "copy" in tools:
            value = tools["copy"]["base_seconds"] / median(tools["copy"])
            judge(
                f"{work.title}, against the copy",
                f"{value:.2f} times its time",
                f"at most {work.copy_aim:g}",
                value <= work.copy_aim,
            )
    of_20 = kernel_times(results).get("20 bytes", {})
    for tool, wanted in works.KERNEL_AIMS.items():
        if tool in of_20:
            value = of_20[CLONED] / of_20[tool]
            judge(f"HMAC kernel, {tool}, against cloning", f"{value:.2f} times as fast", f"{wanted:g}", value >= wanted)
    for output in works.DISK, works.MEMORY:
        sizes = growth_sizes(results, output)
        if len(sizes) < 2:
            continue
        per_row = [median(tool) / measured["rows"] for measured, tool in sizes]
        value = max(per_row) / min(per_row)
        judge(
            f"growth ({output}), slowest time for a row over the fastest",
            f"{value:.3f}",
            f"at most {works.GROWTH_AIM}",
            value <= works.GROWTH_AIM,
        )
        peaks = ", ".join(mebibytes(tool) for _, tool in sizes)
        lines.append(f"        growth ({output}), peak memory by size: {peaks} (aim: flat)")
    ours = [
        work["tools"][name]["peak_bytes"]
        for work in results["works"].values()
        for name in PRODUCTS
        if name in work["tools"]
    ]
    if ours:
        judge(
            "peak memory at default settings, all works",
            f"{max(ours) / 2**30:.2f} GiB",
            f"at most {works.MEMORY_AIM_BYTES / 2**30:g} GiB",
            max(ours) <= works.MEMORY_AIM_BYTES,
        )
    return lines
