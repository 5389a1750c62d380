"""The hand-drawn grids against the groups they stand for."""

import numpy as np
import shapely


def group_of_grid(groups, grids):
    """Row of the grid that holds most of each group."""
    inside = np.array([shapely.area(shapely.intersection(g, grids.geometry.to_numpy())) for g in groups.geometry])
    return inside.argmax(axis=1)


def test_34_grids_of_three_or_four_groups_inside_one_village(groups, grids):
    owner = group_of_grid(groups, grids)
    assert len(grids) == 34
    assert set(np.bincount(owner, minlength=34)) == {3, 4}
    assert (groups["上级代码"].to_numpy() == grids["村代码"].to_numpy()[owner]).all()
    assert (grids["网格代码"].str[:12] == grids["村代码"]).all()
    assert (grids["网格代码"].str.len() == 15).all()


def test_every_border_is_up_to_two_metres_off_and_few_are_right(groups, grids):
    owner = group_of_grid(groups, grids)
    off = []
    for k, drawn in enumerate(grids.geometry):
        exact = shapely.coverage_union_all(groups.geometry.to_numpy()[owner == k])
        assert exact.geom_type == "Polygon", "a grid in two pieces"
        off.append(drawn.boundary.hausdorff_distance(exact.boundary))
    assert max(off) <= 2.0
    assert min(off) > 0.3


def test_one_overlap_of_forty_centimetres(grids):
    shapes = grids.geometry.to_numpy()
    a, b = shapely.STRtree(shapes).query(shapes, predicate="intersects")
    shared = [shapely.intersection(shapes[i], shapes[j]) for i, j in zip(a, b, strict=True) if i < j]
    shared = [
        shapely.union_all([part for part in shapely.get_parts(lap) if part.geom_type == "Polygon"]) for lap in shared
    ]
    laps = [lap for lap in shared if lap.area > 0.5]
    assert len(laps) == 1
    assert sum(lap.area for lap in shared) - laps[0].area < 0.01
    rim = shapely.points(shapely.get_coordinates(shapely.segmentize(laps[0].boundary, 0.5)))
    depth = [shapely.distance(rim, shape.boundary).max() for shape in shapes if shape.intersection(laps[0]).area > 0.5]
    assert len(depth) == 2
    assert 0.38 <= min(depth) <= 0.42


def test_gaps_between_grids_are_slivers(grids, township):
    left = township.difference(grids.geometry.union_all())
    assert left.area > 100
    assert left.buffer(-1.05).is_empty


def test_five_grids_are_over_the_cap_and_say_why(grids, households):
    inside = households.sjoin(grids[["网格代码", "geometry"]], predicate="within")
    homes = inside.groupby("网格代码").size().reindex(grids["网格代码"]).to_numpy()
    assert homes.sum() == len(households), "a home between two grids, or in two"
    over = homes > 100
    assert over.sum() == 5
    assert homes.max() == 122
    assert (grids["超限原因"].ne("").to_numpy() == over).all()
    assert (grids["批准人"].ne("").to_numpy() == over).all()


def test_numbers_run_from_west_to_east_inside_a_village(groups, grids):
    owner = group_of_grid(groups, grids)
    exact = [shapely.coverage_union_all(groups.geometry.to_numpy()[owner == k]) for k in range(len(grids))]
    for rows in grids.groupby("村代码").groups.values():
        east = [exact[k].centroid.x for k in rows]
        assert grids.loc[rows, "网格代码"].is_monotonic_increasing
        assert east == sorted(east)


def test_one_team_is_overloaded(grids, households, staff, disputes):
    inside = households.sjoin(grids[["网格代码", "geometry"]], predicate="within")
    homes = inside.groupby("网格代码").size()
    cases = disputes.sjoin(grids[["网格代码", "geometry"]], predicate="within").groupby("网格代码").size()
    serving = staff[staff["离任日期"].isna()].groupby("所属代码").size().reindex(homes.index)
    crowded = homes.idxmax()
    assert crowded == cases.idxmax() == serving.idxmin()
    assert serving[crowded] == 2
    assert serving.drop(crowded).min() >= 4
    assert cases[crowded] / serving[crowded] > 5 * (cases / serving).median()
